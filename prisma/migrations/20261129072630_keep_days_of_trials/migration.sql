-- AlterTable
ALTER TABLE "backtest_datasets" ADD COLUMN     "days" BYTEA;

-- AlterTable
ALTER TABLE "backtest_trials" ADD COLUMN     "sketch" BYTEA;
