-- CreateTable
CREATE TABLE "tick_batches" (
    "market" VARCHAR(60) NOT NULL,
    "sequence" BIGINT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "ticks" INTEGER NOT NULL,
    "frame" BYTEA NOT NULL,
    "parts" JSONB NOT NULL,

    CONSTRAINT "tick_batches_pkey" PRIMARY KEY ("market","sequence")
);

-- CreateTable
CREATE TABLE "pipeline_states" (
    "market" VARCHAR(60) NOT NULL,
    "symbol" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "layout" VARCHAR(64) NOT NULL,
    "state" BYTEA NOT NULL,
    "saved_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pipeline_states_pkey" PRIMARY KEY ("market","symbol")
);

-- CreateTable
CREATE TABLE "tick_bars" (
    "market" VARCHAR(60) NOT NULL,
    "symbol" TEXT NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "open" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "close" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "count" INTEGER NOT NULL,
    "vwap" DOUBLE PRECISION,
    "pressure" DOUBLE PRECISION,
    "slot" INTEGER NOT NULL,

    CONSTRAINT "tick_bars_pkey" PRIMARY KEY ("market","symbol","interval","time")
);

-- CreateTable
CREATE TABLE "synergies" (
    "id" BIGSERIAL NOT NULL,
    "market" VARCHAR(60) NOT NULL,
    "symbol" TEXT NOT NULL,
    "type" VARCHAR(6) NOT NULL,
    "way" SMALLINT NOT NULL,
    "begun_at" TIMESTAMPTZ(3) NOT NULL,
    "known_at" TIMESTAMPTZ(3) NOT NULL,
    "quality" DOUBLE PRECISION NOT NULL,
    "legs" JSONB NOT NULL,
    "context" JSONB NOT NULL,

    CONSTRAINT "synergies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tick_decisions" (
    "synergy_id" BIGINT NOT NULL,
    "refused_by" VARCHAR(40),
    "entry" DOUBLE PRECISION,
    "stop" DOUBLE PRECISION,
    "target" DOUBLE PRECISION,
    "size" DOUBLE PRECISION,
    "risk" DOUBLE PRECISION,
    "reward" DOUBLE PRECISION,
    "confidence" DOUBLE PRECISION,
    "measure" VARCHAR(10),
    "rules" JSONB NOT NULL,
    "detection_id" BIGINT,
    "alert_id" BIGINT,
    "unalerted" TEXT,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tick_decisions_pkey" PRIMARY KEY ("synergy_id")
);

-- CreateIndex
CREATE INDEX "synergies_market_known_at_idx" ON "synergies"("market", "known_at");

-- CreateIndex
CREATE UNIQUE INDEX "synergies_market_symbol_known_at_key" ON "synergies"("market", "symbol", "known_at");

-- AddForeignKey
ALTER TABLE "tick_decisions" ADD CONSTRAINT "tick_decisions_synergy_id_fkey" FOREIGN KEY ("synergy_id") REFERENCES "synergies"("id") ON DELETE CASCADE ON UPDATE CASCADE;
