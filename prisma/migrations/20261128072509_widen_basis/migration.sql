-- AlterTable
ALTER TABLE "candle_revisions" ALTER COLUMN "basis" SET DATA TYPE VARCHAR(7);

-- AlterTable
ALTER TABLE "candles" ALTER COLUMN "basis" SET DATA TYPE VARCHAR(7);
