-- CreateTable
CREATE TABLE "evidence_edges" (
    "id" BIGSERIAL NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "replay" TEXT NOT NULL DEFAULT '',
    "interval" VARCHAR(3) NOT NULL,
    "known_at" TIMESTAMPTZ(3) NOT NULL,
    "edges" JSONB NOT NULL,

    CONSTRAINT "evidence_edges_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "evidence_edges_synthetic_replay_interval_known_at_idx" ON "evidence_edges"("synthetic", "replay", "interval", "known_at");

-- What the runs that are kept have measured was known when they were written.
INSERT INTO "evidence_edges" ("synthetic", "replay", "interval", "known_at", "edges")
SELECT r."synthetic", r."replay", e."interval", r."created_at", jsonb_object_agg(e."variant", e."measured" -> 'edge')
FROM "evidence_runs" r JOIN "evidence_rows" e ON e."run_id" = r."id"
WHERE e."regime" = 'any' AND coalesce(e."measured" ->> 'costs', 'any') = 'any'
  AND jsonb_typeof(e."measured" -> 'edge') = 'number'
GROUP BY r."id", r."synthetic", r."replay", e."interval", r."created_at";
