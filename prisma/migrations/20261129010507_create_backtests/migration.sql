-- CreateTable
CREATE TABLE "backtest_datasets" (
    "id" BIGSERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "symbols" TEXT[],
    "interval" VARCHAR(4) NOT NULL,
    "first_bar" TIMESTAMPTZ(3) NOT NULL,
    "last_bar" TIMESTAMPTZ(3) NOT NULL,
    "bars" INTEGER NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "backtest_datasets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backtest_trials" (
    "id" BIGSERIAL NOT NULL,
    "dataset_id" BIGINT NOT NULL,
    "key" CHAR(64) NOT NULL,
    "strategy" TEXT NOT NULL,
    "values" JSONB NOT NULL,
    "sharpe" DOUBLE PRECISION,
    "skewness" DOUBLE PRECISION,
    "kurtosis" DOUBLE PRECISION,
    "days" INTEGER NOT NULL,
    "total_return" DOUBLE PRECISION,
    "returns" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "backtest_trials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backtest_runs" (
    "id" BIGSERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "job_id" BIGINT,
    "kind" VARCHAR(12) NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbols" TEXT[],
    "interval" VARCHAR(4) NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "hash" TEXT NOT NULL,
    "report" JSON NOT NULL,
    "columns" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "backtest_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "backtest_datasets_user_id_sha256_key" ON "backtest_datasets"("user_id", "sha256");

-- CreateIndex
CREATE UNIQUE INDEX "backtest_trials_dataset_id_key_key" ON "backtest_trials"("dataset_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "backtest_runs_job_id_key" ON "backtest_runs"("job_id");

-- CreateIndex
CREATE INDEX "backtest_runs_user_id_id_idx" ON "backtest_runs"("user_id", "id");

-- AddForeignKey
ALTER TABLE "backtest_trials" ADD CONSTRAINT "backtest_trials_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "backtest_datasets"("id") ON DELETE CASCADE ON UPDATE CASCADE;
