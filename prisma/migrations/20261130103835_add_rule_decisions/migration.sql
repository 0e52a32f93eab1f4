-- CreateTable
CREATE TABLE "rule_decisions" (
    "id" BIGSERIAL NOT NULL,
    "rule_id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted" BOOLEAN NOT NULL,
    "gate" VARCHAR(20),
    "verdicts" JSONB NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rule_decisions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "rule_decisions_user_id_id_idx" ON "rule_decisions"("user_id", "id");

-- AddForeignKey
ALTER TABLE "rule_decisions" ADD CONSTRAINT "rule_decisions_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
