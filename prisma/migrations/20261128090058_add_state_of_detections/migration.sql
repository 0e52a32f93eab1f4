-- DropIndex
DROP INDEX "detections_instrument_id_interval_pattern_bar_time_key";

-- AlterTable
ALTER TABLE "detections" ADD COLUMN     "formation" JSONB,
ADD COLUMN     "regime" TEXT,
ADD COLUMN     "state" VARCHAR(9) NOT NULL DEFAULT 'confirmed';

-- CreateIndex
CREATE UNIQUE INDEX "detections_instrument_id_interval_pattern_state_bar_time_key" ON "detections"("instrument_id", "interval", "pattern", "state", "bar_time");
