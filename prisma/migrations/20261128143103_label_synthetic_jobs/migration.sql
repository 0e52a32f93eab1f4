-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "synthetic" BOOLEAN NOT NULL DEFAULT false;

-- What ran before there was a label names its sources.
UPDATE "jobs" SET "synthetic" = true WHERE jsonb_path_exists("result", '$.**.sources[*] ? (@ == "synthetic")');
