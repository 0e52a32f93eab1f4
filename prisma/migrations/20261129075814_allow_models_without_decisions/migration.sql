-- AlterTable
ALTER TABLE "models" ALTER COLUMN "first_decision" DROP NOT NULL,
ALTER COLUMN "last_decision" DROP NOT NULL;
