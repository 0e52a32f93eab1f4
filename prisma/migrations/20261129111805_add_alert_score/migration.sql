-- AlterTable
ALTER TABLE "alerts" ADD COLUMN     "score_id" BIGINT,
ADD COLUMN     "snapshot_id" BIGINT;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "feature_snapshots"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_score_id_fkey" FOREIGN KEY ("score_id") REFERENCES "model_scores"("id") ON DELETE SET NULL ON UPDATE CASCADE;
