-- CreateTable
CREATE TABLE "alert_layers" (
    "alert_id" BIGINT NOT NULL,
    "direction" SMALLINT NOT NULL,
    "rules" DOUBLE PRECISION,
    "deep" DOUBLE PRECISION,
    "multi_timeframe" DOUBLE PRECISION,
    "sentiment" DOUBLE PRECISION,
    "composite" DOUBLE PRECISION,
    "weights" JSONB NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "alert_layers_pkey" PRIMARY KEY ("alert_id")
);

-- AddForeignKey
ALTER TABLE "alert_layers" ADD CONSTRAINT "alert_layers_alert_id_fkey" FOREIGN KEY ("alert_id") REFERENCES "alerts"("id") ON DELETE CASCADE ON UPDATE CASCADE;
