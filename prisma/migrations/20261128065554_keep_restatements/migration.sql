-- AlterTable
ALTER TABLE "candles" ADD COLUMN     "basis" VARCHAR(5) NOT NULL DEFAULT 'none',
ADD COLUMN     "known_from" TIMESTAMPTZ(3),
ADD COLUMN     "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- CreateTable
CREATE TABLE "candle_revisions" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "open" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "close" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "source" TEXT NOT NULL,
    "basis" VARCHAR(5) NOT NULL,
    "stored_at" TIMESTAMPTZ(3) NOT NULL,
    "known_from" TIMESTAMPTZ(3),
    "known_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "candle_revisions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "candle_rejections" (
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "candle_rejections_pkey" PRIMARY KEY ("instrument_id","interval","time")
);

-- CreateTable
CREATE TABLE "corporate_actions" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "kind" VARCHAR(8) NOT NULL,
    "ex_day" INTEGER NOT NULL,
    "ratio" DOUBLE PRECISION,
    "amount" DECIMAL(20,8),
    "currency" TEXT,
    "source" TEXT NOT NULL,
    "first_seen" TIMESTAMPTZ(3) NOT NULL,
    "known_from" TIMESTAMPTZ(3),
    "restated_at" TIMESTAMPTZ(3),

    CONSTRAINT "corporate_actions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "corporate_action_asks" (
    "instrument_id" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "first_asked_at" TIMESTAMPTZ(3) NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "corporate_action_asks_pkey" PRIMARY KEY ("instrument_id","source")
);

-- CreateIndex
CREATE INDEX "candle_revisions_instrument_id_interval_time_idx" ON "candle_revisions"("instrument_id", "interval", "time");

-- CreateIndex
CREATE INDEX "corporate_actions_instrument_id_ex_day_idx" ON "corporate_actions"("instrument_id", "ex_day");

-- AddForeignKey
ALTER TABLE "candle_revisions" ADD CONSTRAINT "candle_revisions_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "candle_rejections" ADD CONSTRAINT "candle_rejections_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "corporate_actions" ADD CONSTRAINT "corporate_actions_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "corporate_action_asks" ADD CONSTRAINT "corporate_action_asks_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What was stored before came from sources of which one adjusts for splits.
UPDATE "candles" SET "basis" = 'split' WHERE "source" = 'yahoo';
