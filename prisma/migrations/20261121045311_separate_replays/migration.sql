-- DropIndex
DROP INDEX "instruments_synthetic_symbol_key";

-- AlterTable
ALTER TABLE "instruments" ADD COLUMN     "replay" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "candle_versions" (
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "version" TEXT NOT NULL,

    CONSTRAINT "candle_versions_pkey" PRIMARY KEY ("instrument_id","interval")
);

-- CreateIndex
CREATE UNIQUE INDEX "instruments_synthetic_replay_symbol_key" ON "instruments"("synthetic", "replay", "symbol");

-- AddForeignKey
ALTER TABLE "candle_versions" ADD CONSTRAINT "candle_versions_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
