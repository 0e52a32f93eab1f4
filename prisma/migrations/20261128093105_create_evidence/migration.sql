-- CreateTable
CREATE TABLE "evidence_runs" (
    "id" BIGSERIAL NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "replay" TEXT NOT NULL DEFAULT '',
    "as_of" TIMESTAMPTZ(3) NOT NULL,
    "policy" JSONB NOT NULL,
    "series" INTEGER NOT NULL,
    "bars" INTEGER NOT NULL,
    "occurrences" INTEGER NOT NULL,
    "tests" INTEGER NOT NULL,
    "from_time" TIMESTAMPTZ(3),
    "until_time" TIMESTAMPTZ(3),
    "live_since" TIMESTAMPTZ(3) NOT NULL,
    "live_missing" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "evidence_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "evidence_rows" (
    "run_id" BIGINT NOT NULL,
    "place" INTEGER NOT NULL,
    "variant" TEXT NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "regime" TEXT NOT NULL,
    "n" INTEGER NOT NULL,
    "confidence" DOUBLE PRECISION,
    "measured" JSONB NOT NULL,

    CONSTRAINT "evidence_rows_pkey" PRIMARY KEY ("run_id","place")
);

-- CreateIndex
CREATE INDEX "evidence_runs_synthetic_replay_id_idx" ON "evidence_runs"("synthetic", "replay", "id");

-- AddForeignKey
ALTER TABLE "evidence_rows" ADD CONSTRAINT "evidence_rows_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "evidence_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
