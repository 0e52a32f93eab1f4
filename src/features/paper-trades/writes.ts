import { totalOf } from "../../core/execution/commission.js";
import type { DeskEvent, Fill, Leg } from "../../core/execution/events.js";
import type { Order } from "../../core/execution/order.js";
import type { DeskState } from "../../core/execution/state.js";
import type { Sql } from "../../platform/database.js";
import { APPENDED, APPENDED_TIMES, appending, type Committed } from "../../platform/event-log.js";
import { prepared } from "../../platform/prepared.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { amountText, decimalText } from "./amounts.js";
import type { OrderCause } from "./cause.js";
import type { Peak } from "./peaks.js";
import { ACCOUNT_TOPIC, topicOfAccount } from "./topics.js";

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
  /** Highest equity of the day, where it rose. */
  readonly peak: Peak | null;
}

/** Rows of a table, as columns of text that Postgres reads; `:1` and so on in the text are these. */
interface Part {
  readonly text: string;
  readonly columns: (written: Written) => readonly (string | null)[];
}

/** What each writes is written only where the account stood as the work began, which `updated` says. */
const STOOD = "where exists (select from updated)";

const EVENTS: Part = {
  text: `
insert into paper_events (account_id, seq, at, kind, event, order_id, symbol, body)
select $1::uuid, seq, to_timestamp(at / 1000), kind, event, order_id, symbol, body::jsonb
from unnest(:1::float8[], :2::float8[], :3::text[], :4::text[], :5::text[], :6::text[], :7::text[])
  as t (seq, at, kind, event, order_id, symbol, body) ${STOOD}`,
  columns: ({ events }) => [
    numberArray(events.map(({ seq }) => seq)),
    numberArray(events.map(({ at }) => at)),
    textArray(events.map(({ kind }) => kind)),
    textArray(events.map(({ event }) => event)),
    textArray(events.map((event) => (event.kind === "order" ? event.orderId : null))),
    textArray(events.map(({ symbol }) => symbol)),
    textArray(textsOf({ events })),
  ],
};

const ORDERS: Part = {
  text: `
insert into paper_orders (account_id, id, symbol, side, type, state, quantity, filled, body, cause, submitted_at, seq)
select $1::uuid, id, symbol, side, type, state, quantity::numeric, filled::numeric, body::jsonb, cause::jsonb,
  to_timestamp(submitted_at / 1000), $3
from unnest(:1::text[], :2::text[], :3::text[], :4::text[], :5::text[], :6::text[], :7::text[], :8::text[], :9::text[],
  :10::float8[]) as t (id, symbol, side, type, state, quantity, filled, body, cause, submitted_at) ${STOOD}
on conflict (account_id, id) do update set state = excluded.state, quantity = excluded.quantity,
  filled = excluded.filled, body = excluded.body, seq = excluded.seq`,
  columns: orderColumns,
};

const FILLS: Part = {
  text: `
insert into paper_fills (account_id, id, seq, order_id, symbol, way, quantity, price, amount, fees, gain, at, cash, equity)
select $1::uuid, id, seq, order_id, symbol, way, quantity::numeric, price::numeric, amount::numeric, fees::numeric,
  gain::numeric, to_timestamp(at / 1000), cash::numeric, equity::numeric
from unnest(:1::text[], :2::float8[], :3::text[], :4::text[], :5::float8[], :6::text[], :7::text[], :8::text[],
  :9::text[], :10::text[], :11::float8[], :12::text[], :13::text[])
  as t (id, seq, order_id, symbol, way, quantity, price, amount, fees, gain, at, cash, equity) ${STOOD}`,
  columns: fillColumns,
};

const LEGS: Part = {
  text: `
insert into ledger_legs (account_id, seq, place, book, amount)
select $1::uuid, seq, place, book, amount::numeric
from unnest(:1::float8[], :2::float8[], :3::text[], :4::text[]) as t (seq, place, book, amount) ${STOOD}`,
  columns({ events }) {
    const legs = events.flatMap((event) =>
      legsOf(event).map((leg, place) => ({ seq: event.seq, place, ...leg })),
    );
    return [
      numberArray(legs.map(({ seq }) => seq)),
      numberArray(legs.map(({ place }) => place)),
      textArray(legs.map(({ account }) => account)),
      textArray(legs.map(({ micros }) => amountText(micros))),
    ];
  },
};

const POSITIONS: Part = {
  text: `
insert into paper_positions (account_id, symbol, quantity, cost)
select $1::uuid, symbol, quantity::numeric, cost::numeric
from unnest(:1::text[], :2::text[], :3::text[]) as t (symbol, quantity, cost) ${STOOD}
on conflict (account_id, symbol) do update set quantity = excluded.quantity, cost = excluded.cost`,
  columns(written) {
    const held = touched(written).flatMap((symbol) => written.state.positions.get(symbol) ?? []);
    return [
      textArray(held.map(({ symbol }) => symbol)),
      textArray(held.map(({ quantity }) => decimalText(quantity))),
      textArray(held.map(({ cost }) => amountText(cost))),
    ];
  },
};

const GONE: Part = {
  text: `
delete from paper_positions
where account_id = $1::uuid and symbol = any(:1::text[]) and exists (select from updated)`,
  columns: (written) => [
    textArray(touched(written).filter((symbol) => !written.state.positions.has(symbol))),
  ],
};

const CURSORS: Part = {
  text: `
insert into paper_cursors (account_id, symbol, bar_time)
select $1::uuid, symbol, to_timestamp(time / 1000)
from unnest(:1::text[], :2::float8[]) as t (symbol, time) ${STOOD}
on conflict (account_id, symbol) do update set bar_time = greatest(paper_cursors.bar_time, excluded.bar_time)`,
  columns: ({ cursors }) => [textArray([...cursors.keys()]), numberArray([...cursors.values()])],
};

const PARTS: readonly Part[] = [EVENTS, ORDERS, FILLS, LEGS, POSITIONS, GONE, CURSORS];

/** Parameters before those of the parts. */
const OWN = 7;
/** Events as they are kept are events as they are published: the last column of the first part. */
const PUBLISHED = appending(
  "updated",
  `(select '${ACCOUNT_TOPIC}:' || $1::text as topic, payload, place
    from unnest($${OWN + 7}::text[]) with ordinality as kept(payload, place)) as e`,
);

/** Of two processes that saw peaks of one day the higher one stands, and of two days the later one. */
const PEAK = `peak_day = greatest(peak_day, to_timestamp($6::float8 / 1000)),
    peak_equity = case when peak_day > to_timestamp($6::float8 / 1000) then peak_equity
      when peak_day = to_timestamp($6::float8 / 1000) then greatest(peak_equity, $7::numeric)
      else coalesce($7::numeric, peak_equity) end`;

/** All of it as one statement: a call of the database each would take most of the time of an order. */
const WRITE = prepared(`${statementOf(PARTS)} select count(*)::int as count from updated`);
const WRITE_AND_PUBLISH = prepared(
  `${statementOf(PARTS)}, ${PUBLISHED}
select count(*)::int as count, ${APPENDED} as newest, ${APPENDED_TIMES} as times from updated`,
);

function statementOf(parts: readonly Part[]): string {
  let used = OWN;
  const tables = parts.map(({ text }, k) => {
    const numbers = new Set(Array.from(text.matchAll(/:(\d+)::/g), ([, number]) => Number(number)));
    const numbered = text.replace(/:(\d+)::/g, (_all, number: string) => `$${used + Number(number)}::`);
    used += numbers.size;
    return `part${k} as (${numbered})`;
  });
  return `
with updated as (
  update paper_accounts set seq = $3, cash = $4::numeric, ${PEAK}
  where id = $1::uuid and seq = $2 and closed_at is null and halt is not distinct from $5 returning id
), ${tables.join(",\n")}`;
}

/** Adds what was done. @returns false where another writer was first, or the account was closed, halted or resumed. */
export async function write(sql: Sql, written: Written): Promise<boolean> {
  const [row] = await sql.query<{ count: number }>(WRITE, valuesOf(written));
  return row?.count === 1;
}

/** The same, and publishes it: a transaction by itself. @returns what was published; null where nothing was written. */
export async function writeAndPublish(sql: Sql, written: Written): Promise<Committed | null> {
  const values = valuesOf(written);
  const [row] = await sql.query<{ count: number; newest: number | null; times: number[] | null }>(
    WRITE_AND_PUBLISH,
    values,
  );
  if (row?.count !== 1) return null;
  return {
    topic: topicOfAccount(written.accountId),
    newest: row.newest ?? 0,
    times: row.times ?? [],
    texts: textsOf(written),
  };
}

function valuesOf(written: Written): (string | number | null)[] {
  const { accountId, since, halt, state, peak } = written;
  const values = PARTS.flatMap(({ columns }) => columns(written));
  const highest = peak === null ? [null, null] : [peak.startMs, amountText(peak.micros)];
  return [accountId, since, state.seq, amountText(state.cash), halt, ...highest, ...values];
}

const texts = new WeakMap<readonly DeskEvent[], readonly string[]>();

/** Events as texts of JSON, made once. */
function textsOf({ events }: Pick<Written, "events">): readonly string[] {
  const known = texts.get(events);
  if (known !== undefined) return known;
  const made = events.map((event) => JSON.stringify(event));
  texts.set(events, made);
  return made;
}

/** Symbols of which something happened. */
function touched({ events }: Written): string[] {
  return [...new Set(events.flatMap(({ symbol }) => (symbol === null ? [] : [symbol])))];
}

function orderColumns({ events, state, causes }: Written): string[] {
  const ids = new Set(events.flatMap((event) => (event.kind === "order" ? [event.orderId] : [])));
  const orders = [...ids].flatMap((id): Order[] => {
    const order = state.orders.get(id);
    return order === undefined ? [] : [order];
  });
  return [
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
  ];
}

interface FillRow {
  readonly fill: Fill;
  readonly seq: number;
  readonly at: number;
  readonly orderId: string;
  readonly symbol: string;
  readonly way: number;
}

function fillColumns({ events, state: { orders } }: Written): string[] {
  const rows = events.flatMap((event): FillRow[] => {
    if (event.kind !== "order" || !("fill" in event)) return [];
    const { fill, seq, at, orderId, symbol } = event;
    return [{ fill, seq, at, orderId, symbol, way: orders.get(orderId)?.side === "buy" ? 1 : -1 }];
  });
  return [
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
    textArray(rows.map(({ fill }) => amountText(fill.cash))),
    textArray(rows.map(({ fill: { equity } }) => (equity === undefined ? null : amountText(equity)))),
  ];
}

export function legsOf(event: DeskEvent): readonly Leg[] {
  return "legs" in event ? event.legs : [];
}
