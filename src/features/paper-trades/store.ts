import { totalOf } from "../../core/execution/commission.js";
import type { DeskRules } from "../../core/execution/context.js";
import type { DeskEvent, Fill, Leg } from "../../core/execution/events.js";
import type { Order } from "../../core/execution/order.js";
import type { DeskState } from "../../core/execution/state.js";
import type { Database, Sql } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { amountText, decimalText, microsOf } from "./amounts.js";

/** An account as its row has it. Money in micros, instants in epoch ms. */
export interface AccountRow {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly rules: DeskRules;
  readonly synthetic: boolean;
  readonly seq: number;
  readonly cash: number;
  readonly cashFloor: number;
  readonly halt: string | null;
  readonly openedAt: number;
  readonly closedAt: number | null;
}

export interface NewAccount {
  readonly userId: string;
  readonly name: string;
  readonly rules: DeskRules;
  readonly synthetic: boolean;
  readonly cashFloor: number;
}

/** What one piece of work did to an account. */
export interface Written {
  readonly accountId: string;
  /** The number that the work began with. */
  readonly since: number;
  readonly events: readonly DeskEvent[];
  /** The state after it. */
  readonly state: Readonly<DeskState>;
  /** What orders were placed for, by order. */
  readonly causes: ReadonlyMap<string, unknown>;
  /** Bars that have been walked, by symbol: open of the newest. */
  readonly cursors: ReadonlyMap<string, number>;
}

/** What the projections of an account say, to be held against its events. */
export interface Kept {
  readonly cash: number;
  readonly orders: ReadonlyMap<string, { readonly state: string; readonly filled: number }>;
  readonly positions: ReadonlyMap<string, { readonly quantity: number; readonly cost: number }>;
  /** Sums of the legs by book. */
  readonly books: ReadonlyMap<string, number>;
  readonly fills: number;
}

export interface LedgerStore {
  open(account: NewAccount): Promise<AccountRow>;
  find(id: string): Promise<AccountRow | null>;
  /** The newest first. */
  listOf(userId: string, synthetic: boolean): Promise<AccountRow[]>;
  /** Those that are open, of all users. */
  listOpen(synthetic: boolean): Promise<AccountRow[]>;
  /** @returns false where it is closed already. */
  close(id: string): Promise<boolean>;
  setHalt(id: string, reason: string | null): Promise<void>;
  loadEvents(id: string, after: number): Promise<DeskEvent[]>;
  loadCursors(id: string): Promise<Map<string, number>>;
  loadKept(id: string): Promise<Kept>;
  /** Adds what was done, within a transaction. @returns false where another writer was first, or the account is closed. */
  write(sql: Sql, written: Written): Promise<boolean>;
}

const ACCOUNT = `id, user_id as "userId", name, rules, synthetic, seq::float8, cash::text, cash_floor::text as "cashFloor",
  halt, extract(epoch from opened_at)::float8 * 1000 as "openedAt",
  extract(epoch from closed_at)::float8 * 1000 as "closedAt"`;

type RawAccount = Omit<AccountRow, "cash" | "cashFloor"> & { cash: string; cashFloor: string };

const accountOf = (row: RawAccount): AccountRow => ({
  ...row,
  cash: microsOf(row.cash),
  cashFloor: microsOf(row.cashFloor),
});

const EVENTS = `
insert into paper_events (account_id, seq, at, kind, event, order_id, symbol, body)
select $1::uuid, seq, to_timestamp(at / 1000), kind, event, order_id, symbol, body::jsonb
from unnest($2::float8[], $3::float8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  as t (seq, at, kind, event, order_id, symbol, body)`;

const ORDERS = `
insert into paper_orders (account_id, id, symbol, side, type, state, quantity, filled, body, cause, submitted_at, seq)
select $1::uuid, id, symbol, side, type, state, quantity::numeric, filled::numeric, body::jsonb, cause::jsonb,
  to_timestamp(submitted_at / 1000), $2
from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
  $12::float8[]) as t (id, symbol, side, type, state, quantity, filled, body, cause, submitted_at)
on conflict (account_id, id) do update set state = excluded.state, quantity = excluded.quantity,
  filled = excluded.filled, body = excluded.body, seq = excluded.seq`;

const FILLS = `
insert into paper_fills (account_id, id, seq, order_id, symbol, way, quantity, price, amount, fees, gain, at)
select $1::uuid, id, seq, order_id, symbol, way, quantity::numeric, price::numeric, amount::numeric, fees::numeric,
  gain::numeric, to_timestamp(at / 1000)
from unnest($2::text[], $3::float8[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::float8[]) as t (id, seq, order_id, symbol, way, quantity, price, amount, fees, gain, at)`;

const LEGS = `
insert into ledger_legs (account_id, seq, place, book, amount)
select $1::uuid, seq, place, book, amount::numeric
from unnest($2::float8[], $3::float8[], $4::text[], $5::text[]) as t (seq, place, book, amount)`;

const POSITIONS = `
insert into paper_positions (account_id, symbol, quantity, cost)
select $1::uuid, symbol, quantity::numeric, cost::numeric
from unnest($2::text[], $3::text[], $4::text[]) as t (symbol, quantity, cost)
on conflict (account_id, symbol) do update set quantity = excluded.quantity, cost = excluded.cost`;

const CURSORS = `
insert into paper_cursors (account_id, symbol, bar_time)
select $1::uuid, symbol, to_timestamp(time / 1000) from unnest($2::text[], $3::float8[]) as t (symbol, time)
on conflict (account_id, symbol) do update set bar_time = greatest(paper_cursors.bar_time, excluded.bar_time)`;

export function createLedgerStore(database: Database): LedgerStore {
  return {
    async open({ userId, name, rules, synthetic, cashFloor }) {
      const [row] = await database.query<RawAccount>(
        `insert into paper_accounts (id, user_id, name, currency, rules, synthetic, cash_floor)
         values (gen_random_uuid(), $1, $2, $3, $4, $5, $6::numeric) returning ${ACCOUNT}`,
        [userId, name, rules.account.currency, JSON.stringify(rules), synthetic, amountText(cashFloor)],
      );
      return accountOf(row);
    },
    async find(id) {
      const [row] = await database.query<RawAccount>(`select ${ACCOUNT} from paper_accounts where id = $1`, [
        id,
      ]);
      return row === undefined ? null : accountOf(row);
    },
    async listOf(userId, synthetic) {
      const rows = await database.query<RawAccount>(
        `select ${ACCOUNT} from paper_accounts where user_id = $1 and synthetic = $2 order by opened_at desc, id desc`,
        [userId, synthetic],
      );
      return rows.map(accountOf);
    },
    async listOpen(synthetic) {
      const rows = await database.query<RawAccount>(
        `select ${ACCOUNT} from paper_accounts where closed_at is null and synthetic = $1 order by opened_at, id`,
        [synthetic],
      );
      return rows.map(accountOf);
    },
    async close(id) {
      const rows = await database.query(
        "update paper_accounts set closed_at = now() where id = $1 and closed_at is null returning id",
        [id],
      );
      return rows.length > 0;
    },
    async setHalt(id, reason) {
      await database.query("update paper_accounts set halt = $2 where id = $1", [id, reason]);
    },
    async loadEvents(id, after) {
      const rows = await database.query<{ body: DeskEvent }>(
        "select body from paper_events where account_id = $1 and seq > $2 order by seq",
        [id, after],
      );
      return rows.map(({ body }) => body);
    },
    async loadCursors(id) {
      const rows = await database.query<{ symbol: string; time: number }>(
        `select symbol, extract(epoch from bar_time)::float8 * 1000 as time from paper_cursors where account_id = $1`,
        [id],
      );
      return new Map(rows.map(({ symbol, time }) => [symbol, time]));
    },
    loadKept: (id) => loadKept(database, id),
    write,
  };
}

async function loadKept(database: Database, id: string): Promise<Kept> {
  const [account] = await database.query<{ cash: string }>(
    "select cash::text from paper_accounts where id = $1",
    [id],
  );
  const orders = await database.query<{ id: string; state: string; filled: string }>(
    "select id, state, filled::text from paper_orders where account_id = $1",
    [id],
  );
  const positions = await database.query<{ symbol: string; quantity: string; cost: string }>(
    "select symbol, quantity::text, cost::text from paper_positions where account_id = $1",
    [id],
  );
  const books = await database.query<{ book: string; amount: string }>(
    "select book, sum(amount)::text as amount from ledger_legs where account_id = $1 group by book",
    [id],
  );
  const [{ fills }] = await database.query<{ fills: number }>(
    "select count(*)::float8 as fills from paper_fills where account_id = $1",
    [id],
  );
  return {
    cash: microsOf(account?.cash ?? "0"),
    orders: new Map(orders.map(({ id: order, state, filled }) => [order, { state, filled: Number(filled) }])),
    positions: new Map(
      positions.map(({ symbol, quantity, cost }) => [
        symbol,
        { quantity: Number(quantity), cost: microsOf(cost) },
      ]),
    ),
    books: new Map(books.map(({ book, amount }) => [book, microsOf(amount)])),
    fills,
  };
}

async function write(sql: Sql, written: Written): Promise<boolean> {
  const { accountId, since, events, state, cursors } = written;
  const rows = await sql.query(
    `update paper_accounts set seq = $3, cash = $4::numeric
     where id = $1 and seq = $2 and closed_at is null and halt is distinct from 'ledger_disagrees' returning id`,
    [accountId, since, state.seq, amountText(state.cash)],
  );
  if (rows.length === 0) return false;
  await writeEvents(sql, accountId, events);
  await writeOrders(sql, written);
  await writeFills(sql, accountId, state, events);
  await writeLegs(sql, accountId, events);
  await writePositions(sql, written);
  if (cursors.size > 0) {
    await sql.query(CURSORS, [accountId, textArray([...cursors.keys()]), numberArray([...cursors.values()])]);
  }
  return true;
}

async function writeEvents(sql: Sql, accountId: string, events: readonly DeskEvent[]): Promise<void> {
  await sql.query(EVENTS, [
    accountId,
    numberArray(events.map(({ seq }) => seq)),
    numberArray(events.map(({ at }) => at)),
    textArray(events.map(({ kind }) => kind)),
    textArray(events.map(({ event }) => event)),
    textArray(events.map((event) => (event.kind === "order" ? event.orderId : null))),
    textArray(events.map(({ symbol }) => symbol)),
    textArray(events.map((event) => JSON.stringify(event))),
  ]);
}

async function writeOrders(sql: Sql, { accountId, events, state, causes }: Written): Promise<void> {
  const ids = new Set(events.flatMap((event) => (event.kind === "order" ? [event.orderId] : [])));
  const orders = [...ids].flatMap((id): Order[] => {
    const order = state.orders.get(id);
    return order === undefined ? [] : [order];
  });
  if (orders.length === 0) return;
  await sql.query(ORDERS, [
    accountId,
    state.seq,
    textArray(orders.map(({ id }) => id)),
    textArray(orders.map(({ symbol }) => symbol)),
    textArray(orders.map(({ side }) => side)),
    textArray(orders.map(({ type }) => type)),
    textArray(orders.map((order) => order.state)),
    textArray(orders.map(({ quantity }) => decimalText(quantity))),
    textArray(orders.map(({ filled }) => decimalText(filled))),
    textArray(orders.map((order) => JSON.stringify(order))),
    textArray(orders.map(({ id }) => (causes.has(id) ? JSON.stringify(causes.get(id)) : null))),
    numberArray(orders.map(({ submittedAt }) => submittedAt)),
  ]);
}

interface FillRow {
  readonly fill: Fill;
  readonly seq: number;
  readonly at: number;
  readonly orderId: string;
  readonly symbol: string;
  readonly way: number;
}

async function writeFills(
  sql: Sql,
  accountId: string,
  { orders }: Readonly<DeskState>,
  events: readonly DeskEvent[],
): Promise<void> {
  const rows = events.flatMap((event): FillRow[] => {
    if (event.kind !== "order" || !("fill" in event)) return [];
    const { fill, seq, at, orderId, symbol } = event;
    return [{ fill, seq, at, orderId, symbol, way: orders.get(orderId)?.side === "buy" ? 1 : -1 }];
  });
  if (rows.length === 0) return;
  await sql.query(FILLS, [
    accountId,
    textArray(rows.map(({ fill }) => fill.id)),
    numberArray(rows.map(({ seq }) => seq)),
    textArray(rows.map(({ orderId }) => orderId)),
    textArray(rows.map(({ symbol }) => symbol)),
    numberArray(rows.map(({ way }) => way)),
    textArray(rows.map(({ fill }) => decimalText(fill.quantity))),
    textArray(rows.map(({ fill }) => decimalText(fill.price))),
    textArray(rows.map(({ fill }) => amountText(fill.micros))),
    textArray(rows.map(({ fill }) => amountText(totalOf(fill.fees)))),
    textArray(rows.map(({ fill }) => amountText(fill.gain))),
    numberArray(rows.map(({ at }) => at)),
  ]);
}

async function writeLegs(sql: Sql, accountId: string, events: readonly DeskEvent[]): Promise<void> {
  const legs = events.flatMap((event) =>
    legsOf(event).map((leg, place) => ({ seq: event.seq, place, ...leg })),
  );
  if (legs.length === 0) return;
  await sql.query(LEGS, [
    accountId,
    numberArray(legs.map(({ seq }) => seq)),
    numberArray(legs.map(({ place }) => place)),
    textArray(legs.map(({ account }) => account)),
    textArray(legs.map(({ micros }) => amountText(micros))),
  ]);
}

export function legsOf(event: DeskEvent): readonly Leg[] {
  return "legs" in event ? event.legs : [];
}

async function writePositions(sql: Sql, { accountId, events, state }: Written): Promise<void> {
  const symbols = new Set(events.flatMap(({ symbol }) => (symbol === null ? [] : [symbol])));
  const held = [...symbols].flatMap((symbol) => state.positions.get(symbol) ?? []);
  const gone = [...symbols].filter((symbol) => !state.positions.has(symbol));
  if (held.length > 0) {
    await sql.query(POSITIONS, [
      accountId,
      textArray(held.map(({ symbol }) => symbol)),
      textArray(held.map(({ quantity }) => decimalText(quantity))),
      textArray(held.map(({ cost }) => amountText(cost))),
    ]);
  }
  if (gone.length > 0) {
    await sql.query("delete from paper_positions where account_id = $1 and symbol = any($2::text[])", [
      accountId,
      textArray(gone),
    ]);
  }
}
