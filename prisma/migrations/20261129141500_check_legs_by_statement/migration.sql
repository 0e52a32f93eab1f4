-- Legs are written by the statement that writes their event: what each adds to an event sums to 0, and so does all of it.
-- Once a statement costs less than once a leg, and nothing is left to the commit.
DROP TRIGGER "ledger_legs_balance" ON "ledger_legs";

DROP FUNCTION "check_ledger_balance"();

CREATE FUNCTION "check_added_legs"() RETURNS trigger LANGUAGE plpgsql AS
E'DECLARE wrong record\073 BEGIN SELECT account_id, seq INTO wrong FROM added GROUP BY account_id, seq HAVING sum(amount) <> 0 LIMIT 1\073 IF FOUND THEN RAISE EXCEPTION ''the legs of event % of account % do not sum to 0'', wrong.seq, wrong.account_id USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NULL\073 END';

CREATE TRIGGER "ledger_legs_balance" AFTER INSERT ON "ledger_legs"
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "check_added_legs"();
