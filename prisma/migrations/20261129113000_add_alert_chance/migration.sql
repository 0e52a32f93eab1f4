-- AlterTable
ALTER TABLE "alert_layers" ADD COLUMN     "chance" DOUBLE PRECISION,
ADD COLUMN     "stack_version" TEXT;

-- RenameColumn
ALTER TABLE "alert_layers" RENAME COLUMN "read_at" TO "as_of";
