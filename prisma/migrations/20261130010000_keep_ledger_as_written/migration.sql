-- What was written of an account stays as it was, and stays: nothing of the product takes any of it back.
CREATE TRIGGER "ledger_legs_kept" BEFORE DELETE ON "ledger_legs" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "paper_events_kept" BEFORE DELETE ON "paper_events" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "paper_fills_kept" BEFORE DELETE ON "paper_fills" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
-- The id of an order is made of its name, which is not free again.
CREATE TRIGGER "paper_orders_kept" BEFORE DELETE ON "paper_orders" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

CREATE TRIGGER "ledger_legs_emptied" BEFORE TRUNCATE ON "ledger_legs" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "paper_events_emptied" BEFORE TRUNCATE ON "paper_events" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "paper_fills_emptied" BEFORE TRUNCATE ON "paper_fills" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "paper_orders_emptied" BEFORE TRUNCATE ON "paper_orders" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- An order that has ended stays as it ended, in all its columns.
DROP TRIGGER "paper_orders_ended" ON "paper_orders";

DROP FUNCTION "refuse_revival"();

CREATE FUNCTION "refuse_ended"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN RAISE EXCEPTION ''order % is % and stays so'', OLD.id, OLD.state USING ERRCODE = ''check_violation''\073 END';

CREATE TRIGGER "paper_orders_ended" BEFORE UPDATE ON "paper_orders" FOR EACH ROW
  WHEN (OLD.state IN ('filled', 'canceled', 'expired', 'replaced', 'rejected')) EXECUTE FUNCTION "refuse_ended"();

-- What an order has filled is less only by a split, of which an event tells. Asked once the statement is done, which writes both.
CREATE FUNCTION "check_lowered_fill"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN IF NOT EXISTS (SELECT FROM paper_events WHERE account_id = NEW.account_id AND order_id = NEW.id AND event = ''adjusted'' AND seq > OLD.seq AND seq <= NEW.seq) THEN RAISE EXCEPTION ''what order % has filled does not become less'', NEW.id USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NULL\073 END';

CREATE TRIGGER "paper_orders_filled" AFTER UPDATE ON "paper_orders" FOR EACH ROW
  WHEN (NEW.filled < OLD.filled) EXECUTE FUNCTION "check_lowered_fill"();

ALTER TABLE "paper_orders" ADD CONSTRAINT "paper_orders_filled_check" CHECK ("filled" >= 0);

-- A cash account owes nothing, and one on margin no more than sums of micros are exact for.
ALTER TABLE "paper_accounts" ADD CONSTRAINT "paper_accounts_cash_floor_check" CHECK (
  "cash_floor" BETWEEN -9000000000 AND 0 AND ("rules"->'account'->>'kind' <> 'cash' OR "cash_floor" = 0)
);

-- What an account was opened by holds for as long as there is one.
CREATE FUNCTION "refuse_terms"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN RAISE EXCEPTION ''account % stays as it was opened'', OLD.id USING ERRCODE = ''check_violation''\073 END';

CREATE TRIGGER "paper_accounts_terms" BEFORE UPDATE OF "user_id", "currency", "rules", "synthetic", "cash_floor" ON "paper_accounts"
  FOR EACH ROW EXECUTE FUNCTION "refuse_terms"();
