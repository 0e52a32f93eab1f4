import { totalOf } from "../../core/execution/commission.js";
import type { DeskEvent, Fill, Leg } from "../../core/execution/events.js";
import type { Order } from "../../core/execution/order.js";
import type { DeskState } from "../../core/execution/state.js";
import type { Sql } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { amountText, decimalText } from "./amounts.js";
import type { OrderCause } from "./cause.js";

/** What one piece of work did to an account. */
export interface Written {
  readonly accountId: string;
  /** The number that the work began with, and what then halted the account. */
  readonly since: number;
  readonly halt: string | null;
  readonly events: readonly DeskEvent[];
  /** The state after it. */
  readonly state: Readonly<DeskState>;
  /** What orders were placed for, by order. */
  readonly causes: ReadonlyMap<string, OrderCause>;
  /** Bars that have been walked, by symbol: open of the newest. */
  readonly cursors: ReadonlyMap<string, number>;
}

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

/** Adds what was done. @returns false where another writer was first, or the account was closed, halted or resumed. */
export async function write(sql: Sql, written: Written): Promise<boolean> {
  const { accountId, since, halt, events, state, cursors } = written;
  const rows = await sql.query(
    `update paper_accounts set seq = $3, cash = $4::numeric
     where id = $1 and seq = $2 and closed_at is null and halt is not distinct from $5 returning id`,
    [accountId, since, state.seq, amountText(state.cash), halt],
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
