-- AlterTable
ALTER TABLE "backtest_trials" ADD COLUMN     "deviation" DOUBLE PRECISION;
