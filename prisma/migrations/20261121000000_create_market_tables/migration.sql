-- CreateEnum
CREATE TYPE "role" AS ENUM ('viewer', 'trader', 'admin');

-- CreateEnum
CREATE TYPE "alert_status" AS ENUM ('active', 'accepted', 'dismissed', 'snoozed');

-- CreateEnum
CREATE TYPE "scan_status" AS ENUM ('running', 'finished', 'failed');

-- CreateTable
CREATE TABLE "settings" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "role" "role" NOT NULL,
    "email" TEXT,
    "display_name" TEXT,
    "avatar_url" TEXT,
    "preferences" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "digest" CHAR(64) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "instruments" (
    "id" SERIAL NOT NULL,
    "symbol" TEXT NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "name" TEXT NOT NULL,
    "asset_class" TEXT NOT NULL,
    "exchange" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "calendar" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "instruments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "candles" (
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "open" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "close" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "candles_pkey" PRIMARY KEY ("instrument_id","interval","time")
);

-- CreateTable
CREATE TABLE "candle_coverage" (
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "from_time" TIMESTAMPTZ(3) NOT NULL,
    "to_time" TIMESTAMPTZ(3) NOT NULL,
    "source" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "candle_coverage_pkey" PRIMARY KEY ("instrument_id","interval","from_time")
);

-- CreateTable
CREATE TABLE "detections" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "pattern" TEXT NOT NULL,
    "direction" SMALLINT NOT NULL,
    "start_time" TIMESTAMPTZ(3) NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3) NOT NULL,
    "quality" DOUBLE PRECISION NOT NULL,
    "confidence" DOUBLE PRECISION,
    "price" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "trend_met" BOOLEAN,
    "source" TEXT NOT NULL,
    "facts" JSONB NOT NULL,
    "detected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "detections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alerts" (
    "id" BIGSERIAL NOT NULL,
    "detection_id" BIGINT NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "pattern" TEXT NOT NULL,
    "direction" SMALLINT NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3) NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "score_basis" TEXT NOT NULL,
    "confidence" DOUBLE PRECISION,
    "price" DOUBLE PRECISION NOT NULL,
    "entry" DOUBLE PRECISION,
    "stop" DOUBLE PRECISION,
    "target" DOUBLE PRECISION,
    "source" TEXT NOT NULL,
    "status" "alert_status" NOT NULL DEFAULT 'active',
    "snoozed_until" TIMESTAMPTZ(3),
    "response_action" TEXT,
    "response_reason" TEXT,
    "responded_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alert_guards" (
    "instrument_id" INTEGER NOT NULL,
    "pattern" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "alert_guards_pkey" PRIMARY KEY ("instrument_id","pattern")
);

-- CreateTable
CREATE TABLE "decisions" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "pattern" TEXT NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "accepted" BOOLEAN NOT NULL,
    "rule" TEXT,
    "verdicts" JSONB NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "decisions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "scan_cursors" (
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "scan_cursors_pkey" PRIMARY KEY ("instrument_id","interval")
);

-- CreateTable
CREATE TABLE "scans" (
    "id" BIGSERIAL NOT NULL,
    "slot" TIMESTAMPTZ(3) NOT NULL,
    "owner" TEXT NOT NULL,
    "status" "scan_status" NOT NULL DEFAULT 'running',
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "symbols" INTEGER NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "bars" INTEGER NOT NULL DEFAULT 0,
    "detections" INTEGER NOT NULL DEFAULT 0,
    "alerts" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "scans_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "leases" (
    "name" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "token" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "backend" INTEGER,
    "backend_at" TIMESTAMPTZ(6),

    CONSTRAINT "leases_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "events" (
    "seq" BIGSERIAL NOT NULL,
    "topic" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "events_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "logged_outcomes" (
    "id" BIGSERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "instrument_id" INTEGER,
    "symbol" TEXT NOT NULL,
    "pattern" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "pnl" DOUBLE PRECISION,
    "confidence" DOUBLE PRECISION,
    "duration_min" DOUBLE PRECISION,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "logged_outcomes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_digest_key" ON "api_keys"("digest");

-- CreateIndex
CREATE INDEX "api_keys_user_id_idx" ON "api_keys"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "instruments_synthetic_symbol_key" ON "instruments"("synthetic", "symbol");

-- CreateIndex
CREATE INDEX "detections_detected_at_id_idx" ON "detections"("detected_at", "id");

-- CreateIndex
CREATE INDEX "detections_instrument_id_id_idx" ON "detections"("instrument_id", "id");

-- CreateIndex
CREATE INDEX "detections_instrument_id_bar_time_idx" ON "detections"("instrument_id", "bar_time");

-- CreateIndex
CREATE INDEX "detections_pattern_id_idx" ON "detections"("pattern", "id");

-- CreateIndex
CREATE UNIQUE INDEX "detections_instrument_id_interval_pattern_bar_time_key" ON "detections"("instrument_id", "interval", "pattern", "bar_time");

-- CreateIndex
CREATE UNIQUE INDEX "alerts_detection_id_key" ON "alerts"("detection_id");

-- CreateIndex
CREATE INDEX "alerts_created_at_id_idx" ON "alerts"("created_at", "id");

-- CreateIndex
CREATE INDEX "alerts_instrument_id_created_at_id_idx" ON "alerts"("instrument_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "alerts_instrument_id_pattern_created_at_id_idx" ON "alerts"("instrument_id", "pattern", "created_at", "id");

-- CreateIndex
CREATE INDEX "alerts_status_id_idx" ON "alerts"("status", "id");

-- CreateIndex
CREATE INDEX "decisions_decided_at_id_idx" ON "decisions"("decided_at", "id");

-- CreateIndex
CREATE INDEX "decisions_instrument_id_id_idx" ON "decisions"("instrument_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "decisions_instrument_id_interval_pattern_bar_time_key" ON "decisions"("instrument_id", "interval", "pattern", "bar_time");

-- CreateIndex
CREATE UNIQUE INDEX "scans_slot_key" ON "scans"("slot");

-- CreateIndex
CREATE INDEX "scans_started_at_idx" ON "scans"("started_at");

-- CreateIndex
CREATE INDEX "events_topic_seq_idx" ON "events"("topic", "seq");

-- CreateIndex
CREATE INDEX "events_created_at_idx" ON "events"("created_at");

-- CreateIndex
CREATE INDEX "logged_outcomes_created_at_idx" ON "logged_outcomes"("created_at");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "candles" ADD CONSTRAINT "candles_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "candle_coverage" ADD CONSTRAINT "candle_coverage_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "detections" ADD CONSTRAINT "detections_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_detection_id_fkey" FOREIGN KEY ("detection_id") REFERENCES "detections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alert_guards" ADD CONSTRAINT "alert_guards_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scan_cursors" ADD CONSTRAINT "scan_cursors_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "logged_outcomes" ADD CONSTRAINT "logged_outcomes_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Rules that the schema language cannot state. NaN is greater than every number, so "< infinity" keeps it out.
ALTER TABLE "candles" ADD CONSTRAINT "candles_interval_known"
    CHECK ("interval" IN ('1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w'));
ALTER TABLE "candles" ADD CONSTRAINT "candles_are_possible"
    CHECK ("low" > 0 AND "low" <= "open" AND "low" <= "close" AND "high" >= "open" AND "high" >= "close"
        AND "high" < 'infinity' AND "volume" >= 0 AND "volume" < 'infinity');
ALTER TABLE "candle_coverage" ADD CONSTRAINT "candle_coverage_is_a_stretch" CHECK ("from_time" < "to_time");
ALTER TABLE "detections" ADD CONSTRAINT "detections_are_possible"
    CHECK ("direction" BETWEEN -1 AND 1 AND "quality" BETWEEN 0 AND 1 AND "confidence" BETWEEN 0 AND 1
        AND "start_time" <= "bar_time" AND "bar_time" < "closed_at");
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_are_possible"
    CHECK ("direction" BETWEEN -1 AND 1 AND "score" BETWEEN 0 AND 1 AND "confidence" BETWEEN 0 AND 1
        AND "score_basis" IN ('confidence', 'quality') AND ("score_basis" = 'quality' OR "confidence" IS NOT NULL));
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_levels_come_together"
    CHECK (("entry" IS NULL) = ("stop" IS NULL) AND ("entry" IS NULL) = ("target" IS NULL));
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_name_the_rule" CHECK ("accepted" = ("rule" IS NULL));
ALTER TABLE "logged_outcomes" ADD CONSTRAINT "logged_outcomes_are_known"
    CHECK ("outcome" IN ('profit', 'loss', 'breakeven'));
