-- AlterTable
ALTER TABLE "online_models" ADD COLUMN     "hash" CHAR(64);

-- What is stored by now is taken as it is.
UPDATE "online_models" SET "hash" = encode(sha256(convert_to("state"::text, 'UTF8')), 'hex');

ALTER TABLE "online_models" ALTER COLUMN "hash" SET NOT NULL;
