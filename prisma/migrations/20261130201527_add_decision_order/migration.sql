-- AlterTable
ALTER TABLE "tick_decisions" ADD COLUMN     "account_id" UUID,
ADD COLUMN     "account_why" TEXT,
ADD COLUMN     "model_score" DOUBLE PRECISION,
ADD COLUMN     "model_version" TEXT,
ADD COLUMN     "model_why" TEXT,
ADD COLUMN     "order_id" TEXT,
ADD COLUMN     "order_status" VARCHAR(10),
ADD COLUMN     "order_why" TEXT,
ADD COLUMN     "score_id" BIGINT;

-- CreateIndex
CREATE INDEX "tick_decisions_order_status_idx" ON "tick_decisions"("order_status");
