-- DropIndex
DROP INDEX "synergies_market_known_at_idx";

-- AlterTable
ALTER TABLE "tick_decisions" ADD COLUMN     "currency" VARCHAR(5),
ADD COLUMN     "point_value" DOUBLE PRECISION,
ADD COLUMN     "rate" DOUBLE PRECISION,
ADD COLUMN     "stop_basis" VARCHAR(20);

-- CreateTable
CREATE TABLE "pipeline_totals" (
    "market" VARCHAR(60) NOT NULL,
    "bars" BIGINT NOT NULL,
    "synergies" BIGINT NOT NULL,
    "decisions" BIGINT NOT NULL,
    "refused" BIGINT NOT NULL,

    CONSTRAINT "pipeline_totals_pkey" PRIMARY KEY ("market")
);

-- What is stored by now.
INSERT INTO "pipeline_totals" ("market", "bars", "synergies", "decisions", "refused")
SELECT m."market",
  (SELECT count(*) FROM "tick_bars" b WHERE b."market" = m."market"),
  (SELECT count(*) FROM "synergies" s WHERE s."market" = m."market"),
  (SELECT count(*) FROM "tick_decisions" d JOIN "synergies" s ON s."id" = d."synergy_id" WHERE s."market" = m."market"),
  (SELECT count(*) FROM "tick_decisions" d JOIN "synergies" s ON s."id" = d."synergy_id"
    WHERE s."market" = m."market" AND d."refused_by" IS NOT NULL)
FROM (SELECT "market" FROM "tick_bars" UNION SELECT "market" FROM "synergies") m;
