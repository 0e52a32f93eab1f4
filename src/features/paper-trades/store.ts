import type { DeskRules } from "../../core/execution/context.js";
import type { DeskEvent } from "../../core/execution/events.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Committed } from "../../platform/event-log.js";
import { prepared } from "../../platform/prepared.js";
import { amountText, microsOf } from "./amounts.js";
import type { OrderCause } from "./cause.js";
import type { Peak } from "./peaks.js";
import { HALT_LEDGER } from "./recovery.js";
import { type Written, write, writeAndPublish } from "./writes.js";

/** What an account took over that was opened in another's stead, of the day in which that was. */
export interface Carried {
  /** Lost in that day, below 0 for a gain; micros. */
  readonly loss: number;
  /** Orders that opened something. */
  readonly trades: number;
}

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
  /** When it was opened and closed by the clock of its market. */
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** When its row was made by the clock of the database, by which accounts are told in order. */
  readonly createdAt: number;
  /** Highest equity of the newest day in which it was seen; null before. */
  readonly peak: Peak | null;
  readonly carried: Carried;
  /** The account that its line of resets began with; itself unless it was opened by one. */
  readonly lineId: string;
}

export interface NewAccount {
  /** A new one unless it was made up before. */
  readonly id?: string;
  readonly userId: string;
  readonly name: string;
  readonly rules: DeskRules;
  readonly synthetic: boolean;
  readonly cashFloor: number;
  /** By the clock of the market, which a replay has in the past. */
  readonly openedAt: number;
  /** What it is halted for from the beginning; nothing by default. */
  readonly halt?: string | null;
  /** Of the day in which it is opened, where it stands for another; nothing by default. */
  readonly peak?: Peak;
  readonly carried?: Carried;
  /** Of the account that it is opened for; one of its own by default. */
  readonly lineId?: string;
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

/** All that is stored of an account, as of one moment. */
export interface Stored {
  readonly row: AccountRow;
  readonly events: DeskEvent[];
  readonly cursors: Map<string, number>;
  readonly causes: Map<string, OrderCause>;
  /** Null unless asked for. */
  readonly kept: Kept | null;
}

/** An event by its number, and when it was written, epoch ms of the database's clock. */
export interface WrittenEvent {
  readonly seq: number;
  readonly time: number;
}

/** Where a stretch of an account's events ends. Instants are epoch ms of the database's clock. */
export interface WrittenStretch {
  /** Number of its last event, 0 without one. */
  readonly seq: number;
  /** When the newest of it was written, 0 without one. */
  readonly time: number;
  /** The present instant. */
  readonly now: number;
}

export interface LedgerStore {
  /** Within a transaction where one is given. @throws {AppError} `conflict` where the user has an open one of the name. */
  open(account: NewAccount, sql?: Sql): Promise<AccountRow>;
  find(id: string): Promise<AccountRow | null>;
  /** The newest first. */
  listOf(userId: string, synthetic: boolean): Promise<AccountRow[]>;
  /** The same with what is kept under the name of a setting, null where nothing is, both as of one moment. */
  listWith(
    userId: string,
    synthetic: boolean,
    setting: string,
  ): Promise<{ rows: AccountRow[]; kept: unknown }>;
  /** Ids of those that are open, do not contradict their ledger, and hold something or have orders at work; of all users. */
  listActive(synthetic: boolean): Promise<string[]>;
  /** Ids of those that are open, of all users. */
  listOpen(synthetic: boolean): Promise<string[]>;
  /** @param at by the clock of the market. @returns false where it is closed already. */
  close(id: string, at: number, sql?: Sql): Promise<boolean>;
  /** Halts an account or, with null, resumes it; one that contradicts its ledger stays halted for that. */
  setHalt(id: string, reason: string | null, sql?: Sql): Promise<void>;
  /** @returns null for one that there is not. @param whole with what the projections say. */
  loadAll(id: string, whole: boolean): Promise<Stored | null>;
  /** Events after one that moved money or shares, in order, with when they were written. */
  loadMoved(id: string, after: number, limit: number): Promise<WrittenEvent[]>;
  /** What was written before an instant, or altogether for null. */
  loadWritten(id: string, beforeMs: number | null): Promise<WrittenStretch>;
  /**
   * Adds what was done, within a transaction. @returns false where another writer was first, or the account was closed,
   * halted or resumed meanwhile.
   */
  write(sql: Sql, written: Written): Promise<boolean>;
  /**
   * The same and publishes it, by one statement that is a transaction by itself.
   * @returns what was published; null where nothing was written.
   */
  writeAndPublish(written: Written): Promise<Committed | null>;
}

const ACCOUNT = `id, user_id as "userId", name, rules, synthetic, seq::float8, cash::text, cash_floor::text as "cashFloor",
  halt, extract(epoch from opened_at)::float8 * 1000 as "openedAt",
  extract(epoch from closed_at)::float8 * 1000 as "closedAt",
  extract(epoch from created_at)::float8 * 1000 as "createdAt", line_id as "lineId",
  extract(epoch from peak_day)::float8 * 1000 as "peakDay", peak_equity::text as "peakEquity",
  carried_loss::text as "carriedLoss", carried_trades as "carriedTrades"`;

const FIND = prepared(`select ${ACCOUNT} from paper_accounts where id = $1`);
const LIST = prepared(
  `select ${ACCOUNT} from paper_accounts where user_id = $1 and synthetic = $2 order by created_at desc, id desc`,
);

const LIST_WITH = prepared(
  `select ${ACCOUNT}, kept from (select (select value from settings where settings.name = $3) as kept) as setting
   left join paper_accounts on user_id = $1 and synthetic = $2 order by created_at desc, id desc`,
);

type RawAccount = Omit<AccountRow, "cash" | "cashFloor" | "peak" | "carried"> & {
  readonly cash: string;
  readonly cashFloor: string;
  readonly peakDay: number | null;
  readonly peakEquity: string | null;
  readonly carriedLoss: string;
  readonly carriedTrades: number;
};

function accountOf(raw: RawAccount): AccountRow {
  const { peakDay, peakEquity, carriedLoss, carriedTrades, ...row } = raw;
  return {
    peak: peakDay === null || peakEquity === null ? null : { startMs: peakDay, micros: microsOf(peakEquity) },
    carried: { loss: microsOf(carriedLoss), trades: carriedTrades },
    ...row,
    cash: microsOf(row.cash),
    cashFloor: microsOf(row.cashFloor),
  };
}

const ACTIVE = `
select id from paper_accounts a where closed_at is null and halt is distinct from '${HALT_LEDGER}' and synthetic = $1 and (
  exists (select from paper_positions p where p.account_id = a.id)
  or exists (select from paper_orders o where o.account_id = a.id
    and o.state in ('held', 'accepted', 'new', 'partially_filled')))
order by created_at, id`;

const MOVED = prepared(`
select seq::float8, extract(epoch from created_at)::float8 * 1000 as time from paper_events
where account_id = $1 and seq > $2 and (kind = 'account' or event in ('filled', 'partially_filled'))
order by seq limit $3`);

/** Numbers ascend as times do but where a clock is set back: before an instant is what comes before the first after it. */
const WRITTEN = `
select coalesce(min(seq) filter (where created_at >= moment) - 1, max(seq), 0)::float8 as seq,
  coalesce(extract(epoch from max(created_at) filter (where created_at < moment)) * 1000, 0)::float8 as time,
  extract(epoch from now())::float8 * 1000 as now
from (select coalesce(to_timestamp($2::float8 / 1000), 'infinity') as moment) as asked
left join paper_events on account_id = $1 group by moment`;

export function createLedgerStore(database: Database): LedgerStore {
  return {
    open: (account, sql = database) => open(sql, account),
    async find(id) {
      const [row] = await database.query<RawAccount>(FIND, [id]);
      return row === undefined ? null : accountOf(row);
    },
    async listOf(userId, synthetic) {
      const rows = await database.query<RawAccount>(LIST, [userId, synthetic]);
      return rows.map(accountOf);
    },
    async listWith(userId, synthetic, setting) {
      const rows = await database.query<RawAccount & { kept: unknown }>(LIST_WITH, [
        userId,
        synthetic,
        setting,
      ]);
      const own = rows.filter(({ id }) => id !== null);
      return { rows: own.map(({ kept: _kept, ...row }) => accountOf(row)), kept: rows[0]?.kept ?? null };
    },
    async listActive(synthetic) {
      const rows = await database.query<{ id: string }>(ACTIVE, [synthetic]);
      return rows.map(({ id }) => id);
    },
    async listOpen(synthetic) {
      const rows = await database.query<{ id: string }>(
        "select id from paper_accounts where closed_at is null and synthetic = $1 order by created_at, id",
        [synthetic],
      );
      return rows.map(({ id }) => id);
    },
    async close(id, at, sql = database) {
      const rows = await sql.query(
        `update paper_accounts set closed_at = to_timestamp($2::float8 / 1000)
         where id = $1 and closed_at is null returning id`,
        [id, at],
      );
      return rows.length > 0;
    },
    async setHalt(id, reason, sql = database) {
      await sql.query("update paper_accounts set halt = $2 where id = $1 and halt is distinct from $3", [
        id,
        reason,
        HALT_LEDGER,
      ]);
    },
    loadAll: (id, whole) =>
      database.transaction(async (sql) => {
        await sql.query("set transaction isolation level repeatable read, read only");
        const [raw] = await sql.query<RawAccount>(`select ${ACCOUNT} from paper_accounts where id = $1`, [
          id,
        ]);
        if (raw === undefined) return null;
        return {
          row: accountOf(raw),
          events: await loadEvents(sql, id),
          cursors: await loadCursors(sql, id),
          causes: await loadCauses(sql, id),
          kept: whole ? await loadKept(sql, id) : null,
        };
      }),
    loadMoved: (id, after, limit) => database.query<WrittenEvent>(MOVED, [id, after, limit]),
    async loadWritten(id, beforeMs) {
      const [stretch] = await database.query<WrittenStretch>(WRITTEN, [id, beforeMs]);
      return stretch;
    },
    write,
    writeAndPublish: (written) => writeAndPublish(database, written),
  };
}

async function open(
  sql: Sql,
  { id, userId, name, rules, synthetic, cashFloor, openedAt, halt = null, peak, carried, lineId }: NewAccount,
): Promise<AccountRow> {
  const [row] = await sql.query<RawAccount>(
    `insert into paper_accounts (id, line_id, user_id, name, currency, rules, synthetic, cash_floor, opened_at, halt, peak_day,
       peak_equity, carried_loss, carried_trades)
     select own, coalesce($14::uuid, own), $1, $2, $3, $4::jsonb, $5, $6::numeric, to_timestamp($7::float8 / 1000), $9,
       to_timestamp($10::float8 / 1000), $11::numeric, $12::numeric, $13::int
     from coalesce($8::uuid, gen_random_uuid()) as own
     on conflict (user_id, name, synthetic) where closed_at is null do nothing returning ${ACCOUNT}`,
    [
      userId,
      name,
      rules.account.currency,
      JSON.stringify(rules),
      synthetic,
      amountText(cashFloor),
      openedAt,
      id ?? null,
      halt,
      peak?.startMs ?? null,
      peak === undefined ? null : amountText(peak.micros),
      amountText(carried?.loss ?? 0),
      carried?.trades ?? 0,
      lineId ?? null,
    ],
  );
  if (row === undefined) throw new AppError("conflict", `There is an open account named ${name}`);
  return accountOf(row);
}

async function loadEvents(sql: Sql, id: string): Promise<DeskEvent[]> {
  const rows = await sql.query<{ body: DeskEvent }>(
    "select body from paper_events where account_id = $1 order by seq",
    [id],
  );
  return rows.map(({ body }) => body);
}

async function loadCursors(sql: Sql, id: string): Promise<Map<string, number>> {
  const rows = await sql.query<{ symbol: string; time: number }>(
    `select symbol, extract(epoch from bar_time)::float8 * 1000 as time from paper_cursors where account_id = $1`,
    [id],
  );
  return new Map(rows.map(({ symbol, time }) => [symbol, time]));
}

async function loadCauses(sql: Sql, id: string): Promise<Map<string, OrderCause>> {
  const rows = await sql.query<{ id: string; cause: OrderCause }>(
    "select id, cause from paper_orders where account_id = $1 and cause is not null",
    [id],
  );
  return new Map(rows.map((row) => [row.id, row.cause]));
}

async function loadKept(database: Sql, id: string): Promise<Kept> {
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
