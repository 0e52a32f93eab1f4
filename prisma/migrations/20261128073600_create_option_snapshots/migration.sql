-- CreateTable
CREATE TABLE "option_snapshots" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "session" INTEGER NOT NULL,
    "spot" DOUBLE PRECISION,
    "source" TEXT NOT NULL,
    "loaded" BOOLEAN NOT NULL,
    "legs" INTEGER NOT NULL,
    "call_open_interest" DOUBLE PRECISION NOT NULL,
    "put_open_interest" DOUBLE PRECISION NOT NULL,
    "call_volume" DOUBLE PRECISION NOT NULL,
    "put_volume" DOUBLE PRECISION NOT NULL,
    "thirty_day_volatility" DOUBLE PRECISION,
    "rate" DOUBLE PRECISION NOT NULL,
    "chain" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "option_snapshots_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "option_figures" (
    "snapshot_id" BIGINT NOT NULL,
    "expiry" INTEGER NOT NULL,
    "years" DOUBLE PRECISION NOT NULL,
    "dividend_yield" DOUBLE PRECISION NOT NULL,
    "call_open_interest" DOUBLE PRECISION NOT NULL,
    "put_open_interest" DOUBLE PRECISION NOT NULL,
    "call_volume" DOUBLE PRECISION NOT NULL,
    "put_volume" DOUBLE PRECISION NOT NULL,
    "call_change" DOUBLE PRECISION,
    "put_change" DOUBLE PRECISION,
    "max_pain" DOUBLE PRECISION,
    "support" DOUBLE PRECISION,
    "resistance" DOUBLE PRECISION,
    "at_the_money" DOUBLE PRECISION,
    "risk_reversal" DOUBLE PRECISION,
    "volatility_ratio" DOUBLE PRECISION,

    CONSTRAINT "option_figures_pkey" PRIMARY KEY ("snapshot_id","expiry")
);

-- CreateIndex
CREATE INDEX "option_snapshots_instrument_id_session_time_idx" ON "option_snapshots"("instrument_id", "session", "time");

-- CreateIndex
CREATE UNIQUE INDEX "option_snapshots_instrument_id_time_source_key" ON "option_snapshots"("instrument_id", "time", "source");

-- AddForeignKey
ALTER TABLE "option_snapshots" ADD CONSTRAINT "option_snapshots_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "option_figures" ADD CONSTRAINT "option_figures_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "option_snapshots"("id") ON DELETE CASCADE ON UPDATE CASCADE;
