-- CreateTable
CREATE TABLE "paper_accounts" (
    "id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "currency" VARCHAR(8) NOT NULL,
    "rules" JSONB NOT NULL,
    "synthetic" BOOLEAN NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,
    "cash" DECIMAL(22,6) NOT NULL DEFAULT 0,
    "cash_floor" DECIMAL(22,6) NOT NULL,
    "halt" TEXT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "paper_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "paper_events" (
    "account_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "order_id" TEXT,
    "symbol" TEXT,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "paper_events_pkey" PRIMARY KEY ("account_id","seq")
);

-- CreateTable
CREATE TABLE "paper_fills" (
    "account_id" UUID NOT NULL,
    "id" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "order_id" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "way" SMALLINT NOT NULL,
    "quantity" DECIMAL(28,9) NOT NULL,
    "price" DECIMAL(28,9) NOT NULL,
    "amount" DECIMAL(22,6) NOT NULL,
    "fees" DECIMAL(22,6) NOT NULL,
    "gain" DECIMAL(22,6) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "paper_fills_pkey" PRIMARY KEY ("account_id","id")
);

-- CreateTable
CREATE TABLE "ledger_legs" (
    "account_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "place" SMALLINT NOT NULL,
    "book" TEXT NOT NULL,
    "amount" DECIMAL(22,6) NOT NULL,

    CONSTRAINT "ledger_legs_pkey" PRIMARY KEY ("account_id","seq","place")
);

-- CreateTable
CREATE TABLE "paper_orders" (
    "account_id" UUID NOT NULL,
    "id" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "quantity" DECIMAL(28,9) NOT NULL,
    "filled" DECIMAL(28,9) NOT NULL,
    "body" JSONB NOT NULL,
    "cause" JSONB,
    "submitted_at" TIMESTAMPTZ(3) NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "paper_orders_pkey" PRIMARY KEY ("account_id","id")
);

-- CreateTable
CREATE TABLE "paper_positions" (
    "account_id" UUID NOT NULL,
    "symbol" TEXT NOT NULL,
    "quantity" DECIMAL(28,9) NOT NULL,
    "cost" DECIMAL(22,6) NOT NULL,

    CONSTRAINT "paper_positions_pkey" PRIMARY KEY ("account_id","symbol")
);

-- CreateTable
CREATE TABLE "paper_cursors" (
    "account_id" UUID NOT NULL,
    "symbol" TEXT NOT NULL,
    "bar_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "paper_cursors_pkey" PRIMARY KEY ("account_id","symbol")
);

-- CreateIndex
CREATE INDEX "paper_accounts_user_id_opened_at_idx" ON "paper_accounts"("user_id", "opened_at");

-- CreateIndex
CREATE INDEX "paper_events_account_id_order_id_idx" ON "paper_events"("account_id", "order_id");

-- CreateIndex
CREATE INDEX "paper_fills_account_id_seq_idx" ON "paper_fills"("account_id", "seq");

-- CreateIndex
CREATE INDEX "ledger_legs_account_id_book_idx" ON "ledger_legs"("account_id", "book");

-- CreateIndex
CREATE INDEX "paper_orders_account_id_state_idx" ON "paper_orders"("account_id", "state");

-- AddForeignKey
ALTER TABLE "paper_events" ADD CONSTRAINT "paper_events_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "paper_orders" ADD CONSTRAINT "paper_orders_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "paper_positions" ADD CONSTRAINT "paper_positions_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "paper_cursors" ADD CONSTRAINT "paper_cursors_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "paper_accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What an account may owe is its floor, whoever writes.
ALTER TABLE "paper_accounts" ADD CONSTRAINT "paper_accounts_cash_check" CHECK ("cash" >= "cash_floor");

-- Within functions the end of a statement is written \073: Prisma's engine takes every one that it sees for the end of all.
-- Debits equal credits: checked when the transaction commits.
CREATE FUNCTION "check_ledger_balance"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN IF (SELECT sum(amount) FROM ledger_legs WHERE account_id = NEW.account_id AND seq = NEW.seq) <> 0 THEN RAISE EXCEPTION ''the legs of event % of account % do not sum to 0'', NEW.seq, NEW.account_id USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NULL\073 END';

CREATE CONSTRAINT TRIGGER "ledger_legs_balance" AFTER INSERT ON "ledger_legs"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "check_ledger_balance"();

-- What was written stays as it was.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN RAISE EXCEPTION ''% is only added to'', TG_TABLE_NAME USING ERRCODE = ''check_violation''\073 END';

CREATE TRIGGER "ledger_legs_fixed" BEFORE UPDATE ON "ledger_legs" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

CREATE TRIGGER "paper_events_fixed" BEFORE UPDATE ON "paper_events" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

CREATE TRIGGER "paper_fills_fixed" BEFORE UPDATE ON "paper_fills" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

-- An order that has ended stays so.
CREATE FUNCTION "refuse_revival"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN IF OLD.state IN (''filled'', ''canceled'', ''expired'', ''replaced'', ''rejected'') AND NEW.state <> OLD.state THEN RAISE EXCEPTION ''order % is % and stays so'', OLD.id, OLD.state USING ERRCODE = ''check_violation''\073 END IF\073 RETURN NEW\073 END';

CREATE TRIGGER "paper_orders_ended" BEFORE UPDATE ON "paper_orders" FOR EACH ROW EXECUTE FUNCTION "refuse_revival"();
