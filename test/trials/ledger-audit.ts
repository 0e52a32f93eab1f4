import { disagreements } from "../../src/features/paper-trades/recovery.js";
import { createLedgerStore, type LedgerStore } from "../../src/features/paper-trades/store.js";
import { legsOf } from "../../src/features/paper-trades/writes.js";
import type { Database } from "../../src/platform/database.js";
import type { Acknowledged } from "./ledger-writers.js";

/** What is wrong, in words; nothing where all is well. */
export interface Audit {
  /** Acknowledged and not there, or not as it was acknowledged. */
  readonly lost: string[];
  /** Done more often than it was asked for. */
  readonly doubled: string[];
  /** Accounts and events whose sums are not what they must be. */
  readonly unbalanced: string[];
  readonly counts: {
    readonly accounts: number;
    readonly orders: number;
    readonly fills: number;
    readonly legs: number;
  };
}

interface OrderRow {
  readonly account: string;
  readonly id: string;
  readonly symbol: string;
  readonly side: string;
  readonly state: string;
  readonly quantity: number;
  readonly filled: number;
  readonly client: string;
  readonly origin: string;
}

const ORDERS = `
select account_id as account, id, symbol, side, state, quantity::float8, filled::float8,
  cause->>'clientOrderId' as client, cause->>'origin' as origin from paper_orders`;

/** Each gives a row for everything that is wrong. */
const SUMS: Readonly<Record<string, string>> = {
  "legs of an event": `select account_id as account, seq::text as detail from ledger_legs group by 1, seq having sum(amount) <> 0`,
  "cash and its legs": `select a.id as account, a.cash || ' and ' || coalesce(sum(l.amount), 0) as detail from paper_accounts a
    left join ledger_legs l on l.account_id = a.id and l.book = 'cash' group by a.id, a.cash having a.cash <> coalesce(sum(l.amount), 0)`,
  "cost of a position and its legs": `select coalesce(p.account_id, l.account_id) as account, coalesce(p.symbol, l.symbol) as detail
    from paper_positions p full join (select account_id, substr(book, 10) as symbol, sum(amount) as cost from ledger_legs
      where book like 'position:%' group by 1, 2) l on l.account_id = p.account_id and l.symbol = p.symbol
    where coalesce(p.cost, 0) <> coalesce(l.cost, 0)`,
  "quantity of a position and its fills": `select coalesce(p.account_id, f.account_id) as account, coalesce(p.symbol, f.symbol) as detail
    from paper_positions p full join (select account_id, symbol, sum(way * quantity) as quantity from paper_fills group by 1, 2) f
      on f.account_id = p.account_id and f.symbol = p.symbol where coalesce(p.quantity, 0) <> coalesce(f.quantity, 0)`,
  "filled of an order and its fills": `select o.account_id as account, o.id as detail from paper_orders o
    left join paper_fills f on f.account_id = o.account_id and f.order_id = o.id
    group by 1, 2, o.filled having o.filled <> coalesce(sum(f.quantity), 0)`,
  "fills that are there twice": `select account_id as account, id as detail from paper_fills group by 1, 2 having count(*) > 1`,
  "fills without an order": `select f.account_id as account, f.id as detail from paper_fills f
    left join paper_orders o on o.account_id = f.account_id and o.id = f.order_id where o.id is null`,
  "events in one row": `select a.id as account, a.seq || ', last ' || coalesce(max(e.seq), 0) || ', count ' || count(e.seq) as detail
    from paper_accounts a left join paper_events e on e.account_id = a.id group by a.id, a.seq
    having a.seq <> count(e.seq) or a.seq <> coalesce(max(e.seq), 0)`,
  "events that were announced": `select coalesce(p.account_id::text, o.account) as account, coalesce(p.seq, o.seq)::text as detail
    from paper_events p full join (select substr(topic, 9) as account, (payload->>'seq')::bigint as seq, payload from events
      where topic like 'account:%') o on o.account = p.account_id::text and o.seq = p.seq
    where o.payload is distinct from p.body`,
  "events that were announced twice": `select substr(topic, 9) as account, payload->>'seq' as detail from events
    where topic like 'account:%' group by 1, 2 having count(*) > 1`,
  "positions in closed accounts": `select p.account_id as account, p.symbol as detail from paper_positions p
    join paper_accounts a on a.id = p.account_id where a.closed_at is not null`,
  "settlements in open accounts": `select o.account_id as account, o.id as detail from paper_orders o
    join paper_accounts a on a.id = o.account_id where a.closed_at is null and o.id like 'settlement/%'`,
  "orders at work in closed accounts": `select o.account_id as account, o.id as detail from paper_orders o
    join paper_accounts a on a.id = o.account_id where a.closed_at is not null and o.state in ('held', 'accepted', 'new', 'partially_filled')`,
};

/** Holds what writers were told against what is in the database, and the database against itself. */
export async function audit(database: Database, acknowledged: readonly Acknowledged[]): Promise<Audit> {
  const orders = await database.query<OrderRow>(ORDERS);
  const kept = await database.query<{
    key: string;
    reply: Record<string, unknown> | null;
    code: string | null;
  }>("select key, reply, code from idempotency_keys");
  const replies = new Map(kept.map((row) => [row.key, row]));
  const lost: string[] = [];
  for (const one of acknowledged) {
    lost.push(...missing(one, orders).map((words) => `${words}: ${JSON.stringify(one)}`));
    lost.push(...misremembered(one, replies).map((words) => `${words}: ${JSON.stringify(one)}`));
  }
  const unbalanced: string[] = [];
  for (const [name, text] of Object.entries(SUMS)) {
    const rows = await database.query<{ account: string; detail: string }>(text);
    unbalanced.push(...rows.map(({ account, detail }) => `${name}: account ${account}, ${detail}`));
  }
  const store = createLedgerStore(database);
  const accounts = await database.query<{ id: string; name: string }>("select id, name from paper_accounts");
  for (const { id } of accounts) unbalanced.push(...(await contradictions(store, id)));
  const resets = acknowledged.filter(({ kind, status }) => kind === "reset" && status === 200);
  const ids = new Set(accounts.map(({ id }) => id));
  lost.push(...resets.filter(({ text }) => !ids.has(JSON.parse(text).data.id)).map(({ text }) => text));
  const doubled = doubles(acknowledged, orders);
  const due = new Set(accounts.map(({ name }) => name)).size + resets.length;
  if (accounts.length !== due) doubled.push(`${accounts.length} accounts, of which ${due} were asked for`);
  const [{ fills, legs }] = await database.query<{ fills: number; legs: number }>(
    "select (select count(*)::int from paper_fills) as fills, (select count(*)::int from ledger_legs) as legs",
  );
  const counts = { accounts: accounts.length, orders: orders.length, fills, legs };
  return { lost, doubled, unbalanced, counts };
}

async function contradictions(store: LedgerStore, id: string): Promise<string[]> {
  const stored = await store.loadAll(id, true);
  if (stored === null || stored.kept === null) return [`account ${id} is gone`];
  const found = disagreements(stored.events, stored.kept);
  const fills = stored.events.flatMap((event) => ("fill" in event ? [event.fill.id] : []));
  if (new Set(fills).size !== fills.length) found.push("a fill is told twice");
  const uneven = stored.events.filter(
    (event) => legsOf(event).reduce((sum, { micros }) => sum + micros, 0) !== 0,
  );
  found.push(...uneven.map(({ seq }) => `event ${seq} is uneven`));
  if (stored.row.halt !== null) found.push(`halted: ${stored.row.halt}`);
  return found.map((words) => `account ${id}: ${words}`);
}

const ENDED = new Set(["filled", "canceled", "expired", "rejected", "replaced"]);

interface Told {
  readonly id?: string;
  readonly order_id?: string;
  readonly symbol?: string;
  readonly side?: string;
  readonly quantity?: number;
  readonly state?: string;
  readonly status?: string;
  readonly filled?: number;
}

/** In what the database is not as a caller was told. */
function missing(
  { kind, status, text, accountId, clientOrderId }: Acknowledged,
  orders: readonly OrderRow[],
): string[] {
  if (kind === "reset") return [];
  const body = JSON.parse(text) as { data?: Told; code?: string; problems?: { code?: string }[] };
  if (kind === "place" && status !== 201) {
    const done = byClientId(orders, accountId).get(clientOrderId ?? "") ?? [];
    // A call without a key whose order is there already was done by an attempt before.
    const known = body.problems?.some(({ code }) => code === "id_not_unique") === true;
    return done.length === (known ? 1 : 0) ? [] : [`refused with ${done.length} orders`];
  }
  if (status !== 200 && status !== 201) return [];
  const told = body.data ?? {};
  const id = told.id ?? told.order_id ?? "";
  const order = byId(orders).get(id);
  if (order === undefined) return ["not there"];
  const state = told.state ?? told.status ?? "";
  const wrong: string[] = [];
  if (told.symbol !== order.symbol || told.side?.toLowerCase() !== order.side) wrong.push("another order");
  if (ENDED.has(state) && order.state !== state) wrong.push(`is ${order.state}`);
  if (ENDED.has(state) && told.filled !== undefined && told.filled !== order.filled)
    wrong.push("filled otherwise");
  if (told.quantity !== order.quantity) wrong.push(`quantity ${order.quantity}`);
  if (kind === "cancel" && order.state !== "canceled") wrong.push(`is ${order.state}`);
  return wrong;
}

/** In what the reply that is kept for a key is not the one that was given. */
function misremembered(
  { key, status, text }: Acknowledged,
  replies: ReadonlyMap<string, { reply: Record<string, unknown> | null; code: string | null }>,
): string[] {
  if (key === null) return [];
  const kept = replies.get(key);
  if (kept === undefined) return ["its key is gone"];
  const body = JSON.parse(text) as Record<string, unknown>;
  if (status >= 400) return kept.code === body.code ? [] : [`${kept.code} is kept`];
  return JSON.stringify(sorted(kept.reply?.data)) === JSON.stringify(sorted(body.data))
    ? []
    : ["another reply is kept"];
}

/** jsonb keeps fields in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}

const isSettlement = ({ id }: OrderRow) => id.startsWith("settlement/");

/** Orders beyond what was acknowledged: every call has got its answer, so that none may be left over. */
function doubles(acknowledged: readonly Acknowledged[], orders: readonly OrderRow[]): string[] {
  const found: string[] = [];
  const placed = acknowledged.filter(
    ({ kind, status, text }) => kind === "place" && (status === 201 || text.includes("id_not_unique")),
  );
  const closed = acknowledged.filter(({ kind, status }) => kind === "close" && status === 200);
  for (const [origin, asked] of [
    ["native", placed.length],
    ["close", closed.length],
  ] as const) {
    const there = orders.filter((order) => order.origin === origin && !isSettlement(order)).length;
    if (there !== asked) found.push(`${there} orders of origin ${origin}, ${asked} acknowledged`);
  }
  // What an account sells as it ends nobody has named: once for each symbol.
  const names = new Set<string>();
  for (const order of orders) {
    const name = `${order.account} ${isSettlement(order) ? `settlement of ${order.symbol}` : order.client}`;
    if (names.has(name)) found.push(`two orders: ${name}`);
    names.add(name);
  }
  const ids = closed.map(({ text }) => String((JSON.parse(text) as { data: Told }).data.order_id));
  if (new Set(ids).size !== ids.length) found.push("two closes were answered with one order");
  return found;
}

const idIndexes = new WeakMap<readonly OrderRow[], Map<string, OrderRow>>();
function byId(orders: readonly OrderRow[]): Map<string, OrderRow> {
  const known = idIndexes.get(orders) ?? new Map(orders.map((order) => [order.id, order]));
  idIndexes.set(orders, known);
  return known;
}

const nameIndexes = new WeakMap<readonly OrderRow[], Map<string, Map<string, OrderRow[]>>>();
function byClientId(orders: readonly OrderRow[], accountId: string): Map<string, OrderRow[]> {
  let index = nameIndexes.get(orders);
  if (index === undefined) {
    index = new Map();
    for (const order of orders) {
      const names = index.get(order.account) ?? new Map<string, OrderRow[]>();
      names.set(order.client, [...(names.get(order.client) ?? []), order]);
      index.set(order.account, names);
    }
    nameIndexes.set(orders, index);
  }
  return index.get(accountId) ?? new Map();
}
