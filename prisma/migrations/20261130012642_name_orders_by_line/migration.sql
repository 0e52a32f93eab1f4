-- AlterTable
ALTER TABLE "paper_accounts" ADD COLUMN     "line_id" UUID;

-- Until now each account was a line by itself, of which the ids of its orders were made.
UPDATE "paper_accounts" SET "line_id" = "id";

ALTER TABLE "paper_accounts" ALTER COLUMN "line_id" SET NOT NULL;

-- The id of an order is made of its name and of the account that the line of resets began with, so that an id is there once in all
-- accounts of a line. Ids of legs and of settlements are named by what they belong to, and are of an account alone.
CREATE UNIQUE INDEX "paper_orders_name" ON "paper_orders"("id") WHERE "id" ~ '^[0-9a-f]{8}-[0-9a-f-]{27}$';

DROP TRIGGER "paper_accounts_terms" ON "paper_accounts";

CREATE TRIGGER "paper_accounts_terms" BEFORE UPDATE OF "user_id", "currency", "rules", "synthetic", "cash_floor", "line_id" ON "paper_accounts"
  FOR EACH ROW EXECUTE FUNCTION "refuse_terms"();
