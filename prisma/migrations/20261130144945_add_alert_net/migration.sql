-- AlterTable
ALTER TABLE "alert_layers" ADD COLUMN     "net_id" BIGINT;
