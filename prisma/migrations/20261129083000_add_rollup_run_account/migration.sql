-- AlterTable
ALTER TABLE "rollup_runs" ADD COLUMN     "account_id" UUID;
