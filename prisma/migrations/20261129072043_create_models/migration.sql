-- CreateEnum
CREATE TYPE "model_status" AS ENUM ('candidate', 'shadow', 'active', 'retired', 'refused');

-- CreateTable
CREATE TABLE "models" (
    "id" BIGSERIAL NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "replay" TEXT NOT NULL DEFAULT '',
    "learner" VARCHAR(20) NOT NULL,
    "asset_class" VARCHAR(12) NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "grouping" VARCHAR(8) NOT NULL,
    "version" VARCHAR(20) NOT NULL,
    "status" "model_status" NOT NULL DEFAULT 'candidate',
    "hash" CHAR(64) NOT NULL,
    "data_hash" CHAR(64) NOT NULL,
    "feature_schema" VARCHAR(16) NOT NULL,
    "columns" TEXT[],
    "seed" INTEGER NOT NULL,
    "parameters" JSONB NOT NULL,
    "metrics" JSONB NOT NULL,
    "card" JSONB NOT NULL,
    "artefact" BYTEA NOT NULL,
    "samples" INTEGER NOT NULL,
    "first_decision" TIMESTAMPTZ(3) NOT NULL,
    "last_decision" TIMESTAMPTZ(3) NOT NULL,
    "job_id" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "models_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_audits" (
    "id" BIGSERIAL NOT NULL,
    "model_id" BIGINT NOT NULL,
    "action" VARCHAR(12) NOT NULL,
    "from" "model_status",
    "to" "model_status" NOT NULL,
    "actor" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "numbers" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_audits_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "feature_snapshots" (
    "id" BIGSERIAL NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3) NOT NULL,
    "pattern" TEXT NOT NULL,
    "direction" SMALLINT NOT NULL,
    "regime" TEXT,
    "schema" VARCHAR(16) NOT NULL,
    "values" DOUBLE PRECISION[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "feature_snapshots_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_scores" (
    "id" BIGSERIAL NOT NULL,
    "model_id" BIGINT NOT NULL,
    "snapshot_id" BIGINT NOT NULL,
    "group_key" TEXT NOT NULL,
    "shadow" BOOLEAN NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "raw" DOUBLE PRECISION NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_scores_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "online_models" (
    "synthetic" BOOLEAN NOT NULL,
    "replay" TEXT NOT NULL DEFAULT '',
    "key" VARCHAR(40) NOT NULL,
    "state" JSONB NOT NULL,
    "samples" INTEGER NOT NULL,
    "last_outcome" BIGINT NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "online_models_pkey" PRIMARY KEY ("synthetic","replay","key")
);

-- CreateIndex
CREATE INDEX "models_hash_idx" ON "models"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "models_synthetic_replay_learner_asset_class_interval_groupi_key" ON "models"("synthetic", "replay", "learner", "asset_class", "interval", "grouping", "version");

-- CreateIndex
CREATE INDEX "model_audits_model_id_id_idx" ON "model_audits"("model_id", "id");

-- CreateIndex
CREATE INDEX "feature_snapshots_created_at_id_idx" ON "feature_snapshots"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "feature_snapshots_instrument_id_interval_bar_time_pattern_d_key" ON "feature_snapshots"("instrument_id", "interval", "bar_time", "pattern", "direction", "schema");

-- CreateIndex
CREATE INDEX "model_scores_snapshot_id_idx" ON "model_scores"("snapshot_id");

-- CreateIndex
CREATE UNIQUE INDEX "model_scores_model_id_snapshot_id_key" ON "model_scores"("model_id", "snapshot_id");

-- AddForeignKey
ALTER TABLE "model_audits" ADD CONSTRAINT "model_audits_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "feature_snapshots" ADD CONSTRAINT "feature_snapshots_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_scores" ADD CONSTRAINT "model_scores_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "models"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_scores" ADD CONSTRAINT "model_scores_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "feature_snapshots"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- One version at a time counts for each purpose.
CREATE UNIQUE INDEX "models_active" ON "models"("synthetic", "replay", "learner", "asset_class", "interval", "grouping") WHERE "status" = 'active';

-- What was learned stays as it was, and only where a version stands changes.
CREATE FUNCTION "refuse_relearning"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN IF to_jsonb(NEW) - ''status'' IS DISTINCT FROM to_jsonb(OLD) - ''status'' THEN RAISE EXCEPTION ''version % of a model is only added'', OLD.version USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NEW\073 END';

CREATE TRIGGER "models_fixed" BEFORE UPDATE ON "models" FOR EACH ROW EXECUTE FUNCTION "refuse_relearning"();

CREATE TRIGGER "model_audits_fixed" BEFORE UPDATE OR DELETE ON "model_audits" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

CREATE TRIGGER "model_scores_fixed" BEFORE UPDATE ON "model_scores" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

CREATE TRIGGER "feature_snapshots_fixed" BEFORE UPDATE ON "feature_snapshots" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
