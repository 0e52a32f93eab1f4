-- CreateTable
CREATE TABLE "alert_rules" (
    "id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "condition" JSONB NOT NULL,
    "rearm" JSONB,
    "interval" VARCHAR(3) NOT NULL,
    "watch" VARCHAR(8) NOT NULL,
    "terms" JSONB NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "alert_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alert_rule_states" (
    "rule_id" UUID NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "phase" VARCHAR(5) NOT NULL DEFAULT 'new',
    "since_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3),
    "fired_at" TIMESTAMPTZ(3),
    "fired_bar" TIMESTAMPTZ(3),
    "fired_in_bar" INTEGER NOT NULL DEFAULT 0,
    "lacks" TEXT[],
    "suppressed" VARCHAR(20),

    CONSTRAINT "alert_rule_states_pkey" PRIMARY KEY ("rule_id","instrument_id")
);

-- CreateTable
CREATE TABLE "rule_firings" (
    "id" UUID NOT NULL,
    "rule_id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "instrument_id" INTEGER NOT NULL,
    "interval" VARCHAR(3) NOT NULL,
    "watch" VARCHAR(8) NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "expression" TEXT NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "fired_at" TIMESTAMPTZ(3) NOT NULL,
    "price" DOUBLE PRECISION NOT NULL,
    "source" TEXT,
    "due_at" TIMESTAMPTZ(3),
    "told_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rule_firings_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "alert_rules_user_id_created_at_idx" ON "alert_rules"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "alert_rule_states_instrument_id_idx" ON "alert_rule_states"("instrument_id");

-- CreateIndex
CREATE INDEX "rule_firings_user_id_fired_at_idx" ON "rule_firings"("user_id", "fired_at");

-- CreateIndex
CREATE INDEX "rule_firings_rule_id_fired_at_idx" ON "rule_firings"("rule_id", "fired_at");

-- CreateIndex
CREATE INDEX "rule_firings_due_at_idx" ON "rule_firings"("due_at");

-- AddForeignKey
ALTER TABLE "alert_rule_states" ADD CONSTRAINT "alert_rule_states_rule_id_fkey" FOREIGN KEY ("rule_id") REFERENCES "alert_rules"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alert_rule_states" ADD CONSTRAINT "alert_rule_states_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rule_firings" ADD CONSTRAINT "rule_firings_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
