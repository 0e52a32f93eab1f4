-- AlterTable
ALTER TABLE "paper_accounts" ADD COLUMN     "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- Until now accounts were opened by the clock of the database.
UPDATE "paper_accounts" SET "created_at" = "opened_at";

-- DropIndex
DROP INDEX "paper_accounts_user_id_opened_at_idx";

-- CreateIndex
CREATE INDEX "paper_accounts_user_id_created_at_idx" ON "paper_accounts"("user_id", "created_at");
