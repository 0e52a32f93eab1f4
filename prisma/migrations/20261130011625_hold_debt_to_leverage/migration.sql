-- AlterTable
ALTER TABLE "paper_fills" ADD COLUMN     "cash" DECIMAL(22,6),
ADD COLUMN     "equity" DECIMAL(22,6);

-- What opens something owes at most what its account's equity bears by the rules it was opened with: (leverage - 1) times it, to a hundredth,
-- for each position is rounded by itself. What closes, fees and nights may owe more: prices do not ask first.
CREATE FUNCTION "check_borrowed"() RETURNS trigger LANGUAGE plpgsql AS
E'DECLARE initial numeric\073 BEGIN SELECT (rules->''account''->>''initialLong'')::numeric INTO initial FROM paper_accounts WHERE id = NEW.account_id\073 IF NEW.cash IS NULL OR NEW.cash < (1 - 1 / initial) * NEW.equity - 0.01 THEN RAISE EXCEPTION ''fill % leaves % in cash, and an equity of % does not bear that'', NEW.id, NEW.cash, NEW.equity USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NEW\073 END';

CREATE TRIGGER "paper_fills_borrowed" BEFORE INSERT ON "paper_fills" FOR EACH ROW
  WHEN (NEW.equity IS NOT NULL) EXECUTE FUNCTION "check_borrowed"();
