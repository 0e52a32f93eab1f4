-- CreateTable
CREATE TABLE "outcomes" (
    "id" BIGSERIAL NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "source" VARCHAR(7) NOT NULL,
    "policy" VARCHAR(7),
    "terms" VARCHAR(40),
    "alert_id" BIGINT,
    "detection_id" BIGINT,
    "user_id" TEXT,
    "account_id" UUID,
    "trade_id" TEXT,
    "instrument_id" INTEGER,
    "symbol" TEXT NOT NULL,
    "interval" VARCHAR(3),
    "pattern" TEXT,
    "strategy" TEXT,
    "model" TEXT,
    "direction" SMALLINT,
    "ending" VARCHAR(16),
    "outcome" VARCHAR(9),
    "reason" TEXT,
    "entry" DOUBLE PRECISION,
    "exit" DOUBLE PRECISION,
    "entered_at" TIMESTAMPTZ(3),
    "exited_at" TIMESTAMPTZ(3),
    "bars_held" INTEGER,
    "cost_bps" DOUBLE PRECISION,
    "gain" DOUBLE PRECISION,
    "r" DOUBLE PRECISION,
    "mfe" DOUBLE PRECISION,
    "mae" DOUBLE PRECISION,
    "ambiguous" BOOLEAN NOT NULL DEFAULT false,
    "quantity" DECIMAL(28,9),
    "pnl" DECIMAL(22,6),
    "confidence" DOUBLE PRECISION,
    "duration_min" DOUBLE PRECISION,
    "metadata" JSONB,
    "settled_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outcomes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outcome_cursors" (
    "account_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "outcome_cursors_pkey" PRIMARY KEY ("account_id")
);

-- CreateTable
CREATE TABLE "daily_performance" (
    "account_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "trades" INTEGER NOT NULL,
    "wins" INTEGER NOT NULL,
    "losses" INTEGER NOT NULL,
    "break_evens" INTEGER NOT NULL,
    "win_rate_pct" DECIMAL(28,9) NOT NULL,
    "gross" DECIMAL(22,6) NOT NULL,
    "brokerage" DECIMAL(22,6) NOT NULL,
    "taxes" DECIMAL(22,6) NOT NULL,
    "carry" DECIMAL(22,6) NOT NULL,
    "net" DECIMAL(22,6) NOT NULL,
    "profit_factor" DECIMAL(28,9),
    "no_losses" BOOLEAN NOT NULL,
    "average_net" DECIMAL(28,9) NOT NULL,
    "average_win" DECIMAL(28,9),
    "average_loss" DECIMAL(28,9),
    "average_hold_minutes" DECIMAL(28,9) NOT NULL,
    "max_drawdown" DECIMAL(22,6) NOT NULL,
    "max_drawdown_pct" DECIMAL(28,9),
    "drawdown_reason" TEXT,
    "sharpe" DECIMAL(28,9),
    "sharpe_reason" TEXT,
    "computed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "daily_performance_pkey" PRIMARY KEY ("account_id","date")
);

-- CreateTable
CREATE TABLE "strategy_performance" (
    "account_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "strategy" TEXT NOT NULL,
    "signals_generated" INTEGER NOT NULL,
    "trades_taken" INTEGER NOT NULL,
    "wins" INTEGER NOT NULL,
    "win_rate_pct" DECIMAL(28,9),
    "total_net" DECIMAL(22,6) NOT NULL,
    "average_net" DECIMAL(28,9),
    "average_strength" DECIMAL(28,9),
    "computed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "strategy_performance_pkey" PRIMARY KEY ("account_id","date","strategy")
);

-- CreateTable
CREATE TABLE "rollup_cursors" (
    "account_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "zone" TEXT NOT NULL,
    "date" DATE NOT NULL,

    CONSTRAINT "rollup_cursors_pkey" PRIMARY KEY ("account_id")
);

-- CreateTable
CREATE TABLE "rollup_runs" (
    "id" BIGSERIAL NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "trigger" VARCHAR(8) NOT NULL,
    "status" VARCHAR(9) NOT NULL,
    "from_date" DATE NOT NULL,
    "to_date" DATE NOT NULL,
    "accounts" INTEGER NOT NULL DEFAULT 0,
    "daily_rows" INTEGER NOT NULL DEFAULT 0,
    "strategy_rows" INTEGER NOT NULL DEFAULT 0,
    "failure" TEXT,
    "owner" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "rollup_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "outcomes_created_at_idx" ON "outcomes"("created_at");

-- CreateIndex
CREATE INDEX "outcomes_instrument_id_idx" ON "outcomes"("instrument_id");

-- CreateIndex
CREATE UNIQUE INDEX "outcomes_alert_id_policy_terms_key" ON "outcomes"("alert_id", "policy", "terms");

-- CreateIndex
CREATE UNIQUE INDEX "outcomes_account_id_trade_id_key" ON "outcomes"("account_id", "trade_id");

-- CreateIndex
CREATE INDEX "rollup_runs_synthetic_trigger_id_idx" ON "rollup_runs"("synthetic", "trigger", "id");

-- AddForeignKey
ALTER TABLE "outcomes" ADD CONSTRAINT "outcomes_instrument_id_fkey" FOREIGN KEY ("instrument_id") REFERENCES "instruments"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "outcomes" ADD CONSTRAINT "outcomes_alert_id_fkey" FOREIGN KEY ("alert_id") REFERENCES "alerts"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "outcome_cursors" ADD CONSTRAINT "outcome_cursors_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "daily_performance" ADD CONSTRAINT "daily_performance_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "strategy_performance" ADD CONSTRAINT "strategy_performance_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rollup_cursors" ADD CONSTRAINT "rollup_cursors_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What users reported before stays what they reported.
INSERT INTO "outcomes" ("synthetic", "source", "user_id", "instrument_id", "symbol", "pattern", "outcome", "pnl", "confidence",
  "duration_min", "settled_at", "created_at")
SELECT coalesce(i."synthetic", false), 'user', l."user_id", l."instrument_id", l."symbol", l."pattern", l."outcome",
  CASE WHEN abs(l."pnl") < 1e15 THEN l."pnl"::numeric END, l."confidence", l."duration_min", l."created_at", l."created_at"
FROM "logged_outcomes" l LEFT JOIN "instruments" i ON i."id" = l."instrument_id" ORDER BY l."id";

DROP TABLE "logged_outcomes";
