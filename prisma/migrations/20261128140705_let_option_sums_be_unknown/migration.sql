-- AlterTable
ALTER TABLE "option_figures" ALTER COLUMN "call_open_interest" DROP NOT NULL,
ALTER COLUMN "put_open_interest" DROP NOT NULL,
ALTER COLUMN "call_volume" DROP NOT NULL,
ALTER COLUMN "put_volume" DROP NOT NULL;

-- AlterTable
ALTER TABLE "option_snapshots" ALTER COLUMN "call_open_interest" DROP NOT NULL,
ALTER COLUMN "put_open_interest" DROP NOT NULL,
ALTER COLUMN "call_volume" DROP NOT NULL,
ALTER COLUMN "put_volume" DROP NOT NULL;
