-- CreateTable
CREATE TABLE "data_issues" (
    "id" BIGSERIAL NOT NULL,
    "code" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "datum_time" TIMESTAMPTZ(3) NOT NULL,
    "count" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "first_seen" TIMESTAMPTZ(3) NOT NULL,
    "last_seen" TIMESTAMPTZ(3) NOT NULL,
    "seen" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "data_issues_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "data_issues_last_seen_id_idx" ON "data_issues"("last_seen", "id");

-- CreateIndex
CREATE UNIQUE INDEX "data_issues_code_subject_source_synthetic_datum_time_key" ON "data_issues"("code", "subject", "source", "synthetic", "datum_time");
