-- DropIndex
DROP INDEX "rule_firings_user_id_fired_at_idx";

-- AlterTable
ALTER TABLE "alert_rule_states" ADD COLUMN     "trouble" TEXT;

-- CreateIndex
CREATE INDEX "rule_firings_user_id_fired_at_id_idx" ON "rule_firings"("user_id", "fired_at", "id");
