-- AlterTable
ALTER TABLE "paper_accounts" ADD COLUMN     "carried_loss" DECIMAL(22,6) NOT NULL DEFAULT 0,
ADD COLUMN     "carried_trades" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "peak_day" TIMESTAMPTZ(3),
ADD COLUMN     "peak_equity" DECIMAL(22,6);
