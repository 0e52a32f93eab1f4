import type { Desk } from "../../core/execution/desk.js";
import type { Order } from "../../core/execution/order.js";
import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay } from "../../core/market/adjust.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { type Calendar, calendarOf, isOpen, nextSession } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Instruments } from "../instruments/instruments.js";
import type { RiskSettingsStore } from "../risk/settings.js";
import { cancelIn } from "./cancel.js";
import { catchUp, followsAny, isNightDue } from "./catch-up.js";
import type { Feed, MarketNow } from "./feed.js";
import { fillLimits } from "./fill-limits.js";
import { needsLastBar } from "./last-bars.js";
import { type Account, HALT_LEDGER, type Ledger } from "./ledger.js";
import { type Allowance, isFollowed } from "./placing.js";
import type { Standings } from "./standings.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { LATE_ACTION_MS, type SymbolNews } from "./symbol-walk.js";

export const LEASE_NAME = "paper-trades";
const EVERY_MS = 2_000;
const LEASE_MS = 15_000;
const TIMEOUT_MS = 120_000;
/** Stretches that one run walks an account through; what is left comes with the next. */
const STRETCHES = 50;
const MINUTE_MS = 60_000;
const minuteOf = (atMs: number) => Math.floor(atMs / MINUTE_MS);

export interface Matching {
  readonly loop: LoopDefinition;
  /** Shows one account all that happened until now. @returns symbols of which no source tells, and up to when each was seen. */
  run(accountId: string): Promise<Unseen>;
  /**
   * Shows an account what happened before an instant and it has not been told, before anything else is done to it: bars
   * that have closed, and the beginning of a day, whose prices may be of shares that were split. Bars close with minutes,
   * so that within a minute there is nothing more to be told.
   * @param symbols that it is to be done to.
   * @throws {AppError} `provider_unavailable` where one of them was traded since and no source tells how.
   */
  begin(row: AccountRow, atMs: number, symbols?: readonly string[]): Promise<void>;
  /** Holds every open account against its ledger, once, before anything is traded. @returns those that disagree. */
  recover(): Promise<readonly string[]>;
}

/** Symbols that an account follows and whose source is silent, with the instants up to which they were seen; epoch ms. */
export type Unseen = ReadonlyMap<string, number>;

export interface MatchingOptions {
  readonly store: LedgerStore;
  readonly ledger: Ledger;
  readonly feed: Feed;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly leases: Leases;
  readonly settings: Pick<RiskSettingsStore, "load">;
  readonly standings: Standings;
  readonly synthetic: boolean;
  readonly log: Log;
}

/**
 * Shows resting orders and positions what their markets do, one process for all. An account that cannot be matched keeps no
 * other from it; a run in which one failed as nobody expects fails after all of them.
 */
export function createMatching(options: MatchingOptions): Matching {
  const { store, ledger, leases, synthetic, log } = options;
  let recovered = false;
  /** By desk, the minute of its markets up to which it was shown all: one that is made anew knows prices of fills alone. */
  const shown: Shown = new WeakMap();
  const beginning = new Map<string, Promise<Unseen>>();

  async function run(accountId: string, signal?: AbortSignal): Promise<Unseen> {
    let unseen: Unseen = new Map();
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      const followed = await ledger.look(accountId, followedIn);
      const news = await Promise.all(followed.map((each) => newsOf(options, each)));
      const known = news.filter((one) => one !== null);
      unseen = new Map(
        followed.flatMap(({ symbol, since }, k) =>
          news[k] === null && since !== undefined ? [[symbol, since]] : [],
        ),
      );
      if (known.length === 0 || signal?.aborted === true) return unseen;
      const nowMs = Math.max(...known.map(({ market }) => market.atMs));
      const whole = known.length === news.length ? shown : null;
      const more = await walkOn(options, accountId, followed, { known, nowMs, whole });
      if (!more) return unseen;
    }
    return unseen;
  }

  /** Commands that come while one is shown what happened wait for it together. */
  function runOnce(accountId: string): Promise<Unseen> {
    const known = beginning.get(accountId);
    if (known !== undefined) return known;
    const running = run(accountId).finally(() => beginning.delete(accountId));
    beginning.set(accountId, running);
    return running;
  }

  async function recover(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const id of await store.listOpen(synthetic)) {
      const found = await ledger.verify(id);
      if (found.length === 0) continue;
      wrong.push(id);
      log.error({ account: id, differences: found.slice(0, 10) }, "a paper account contradicts its ledger");
    }
    recovered = true;
    return wrong;
  }

  return {
    run,
    async begin(row, atMs, symbols = []) {
      if (row.closedAt !== null || row.halt === HALT_LEDGER) return;
      const isDue = (desk: Desk, account: Account) => {
        const isShown = (shown.get(desk) ?? Number.NEGATIVE_INFINITY) >= minuteOf(atMs);
        return isShown ? isNightDue(desk, account, atMs) : followsAny(desk, account);
      };
      const due = await ledger.look(row.id, isDue, row);
      if (due) requireSeen(await runOnce(row.id), symbols, atMs);
    },
    recover,
    loop: {
      name: LEASE_NAME,
      everyMs: () => EVERY_MS,
      timeoutMs: TIMEOUT_MS,
      async run(_nowMs, signal) {
        const lease: Lease | null = await leases.acquire(LEASE_NAME, LEASE_MS);
        if (lease === null) return;
        if (!recovered) await recover();
        await eachAlone(await store.listActive(synthetic), log, async (id) => {
          if (signal.aborted) return;
          await leases.acquire(LEASE_NAME, LEASE_MS);
          await run(id, signal);
        });
      },
    },
  };
}

/** Accounts of which none that fails keeps the others waiting. @throws AggregateError of what nobody expects, after them all. */
async function eachAlone(
  ids: readonly string[],
  log: Log,
  work: (id: string) => Promise<void>,
): Promise<void> {
  const failed: unknown[] = [];
  for (const id of ids) {
    try {
      await work(id);
    } catch (error) {
      const isExpected = error instanceof AppError;
      if (isExpected && error.code === "database_unavailable") throw error;
      if (!isExpected) failed.push(error);
      log[isExpected ? "warn" : "error"]({ account: id, err: error }, "a paper account was not matched");
    }
  }
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} accounts failed`);
}

/** @throws {AppError} `provider_unavailable` for one that was traded since it was seen. */
function requireSeen(unseen: Unseen, symbols: readonly string[], atMs: number): void {
  for (const symbol of symbols) {
    const since = unseen.get(symbol);
    const instrument = classifySymbol(symbol);
    if (since === undefined || instrument === null) continue;
    if (!wasTraded(calendarOf(instrument.calendar), since, atMs)) continue;
    const detail = `No source tells what ${symbol} did since ${isoTime(since)}, which orders on it are to meet first`;
    throw new AppError("provider_unavailable", detail, { retryAfterS: 30 });
  }
}

/** Whether a minute of regular hours lies whole between two instants. */
function wasTraded(calendar: Calendar, fromMs: number, toMs: number): boolean {
  const begin = isOpen(calendar, fromMs) ? fromMs : nextSession(calendar, fromMs)?.open;
  return begin !== undefined && Math.ceil(begin / MINUTE_MS) * MINUTE_MS + MINUTE_MS <= toMs;
}

/** A symbol that an account has, as far as it has seen it. */
interface Followed {
  readonly symbol: string;
  /** Up to when; undefined where it has seen nothing yet. */
  readonly since: number | undefined;
  /** Whether its fills at quotes depend on the last bar. */
  readonly withLast: boolean;
  /** Whether a split within [from, until) was applied. */
  isSplit(from: number, until: number): boolean;
}

function followedIn(desk: Desk, { row, cursors, history }: Account): Followed[] {
  const symbols = new Set([...desk.state.positions.keys(), ...cursors.keys()]);
  return [...symbols]
    .filter((symbol) => isFollowed(desk, symbol))
    .map((symbol) => ({
      symbol,
      since: cursors.get(symbol),
      withLast: needsLastBar(row.rules),
      isSplit: (from: number, until: number) => history.applied(symbol, "split", from, until),
    }));
}

type Shown = WeakMap<Desk, number>;

/**
 * Walks an account through what is known, fills held to what its owner allows.
 * @param whole where it is remembered that all was shown; null where not all is known.
 * @returns whether more is to be fetched.
 */
async function walkOn(
  options: MatchingOptions,
  accountId: string,
  followed: readonly Followed[],
  { known, nowMs, whole }: { known: readonly SymbolNews[]; nowMs: number; whole: Shown | null },
): Promise<boolean> {
  const since = Math.min(nowMs, ...followed.map((each) => each.since ?? nowMs));
  const allowed = await allowanceOf(options, accountId, since);
  return options.ledger.act(accountId, {
    run(desk, account) {
      // A halt cancels them with itself; whatever else halted an account did not.
      if (account.row.halt !== null) cancelIn(desk, "opening", Math.max(since, desk.state.at));
      const limits = allowed === null ? null : fillLimits(desk, account, allowed);
      const walk = () => catchUp(desk, account, known, nowMs, limits);
      const more = limits === null ? walk() : limits.during(walk);
      if (!more) whole?.set(desk, minuteOf(nowMs));
      return more;
    },
  });
}

/**
 * What the owner of an account allows to be opened by what rests there, and its day at an instant; null where nothing rests
 * that could open anything.
 */
async function allowanceOf(
  { ledger, settings, standings }: MatchingOptions,
  accountId: string,
  atMs: number,
): Promise<Allowance | null> {
  const row = await ledger.look(accountId, (desk, account) =>
    desk.atWork().some(mayOpen) ? account.row : null,
  );
  if (row === null) return null;
  const [allowed, day] = await Promise.all([settings.load(row.userId), standings.today(row, atMs)]);
  return { settings: allowed, day };
}

/** What an order by money closes is known when it is filled. */
function mayOpen({ role, quantity, closing, notional }: Readonly<Order>): boolean {
  return role !== "target" && role !== "stop" && (notional !== null || closing < quantity);
}

/** What is new of a symbol; null where no source can be asked now, and the next run asks again. */
async function newsOf(
  { feed, instruments, log }: Pick<MatchingOptions, "feed" | "instruments" | "log">,
  { symbol, since, withLast, isSplit }: Followed,
): Promise<SymbolNews | null> {
  try {
    const instrument = await instruments.resolve(symbol);
    const market: MarketNow = await feed.now(instrument, withLast);
    const from = since ?? market.atMs;
    const [stretch, actions] = await Promise.all([
      feed.bars(instrument, from, market.atMs),
      feed.actions(instrument),
    ]);
    const closes = await closesBefore(feed, market, actions, from, isSplit);
    return { symbol, market, actions, closes, ...stretch };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    log.debug({ symbol, reason: error.message }, "no prices for paper orders");
    return null;
  }
}

/** What was traded last before each split that was not applied and still may be. */
async function closesBefore(
  feed: Pick<Feed, "closeBefore">,
  { instrument, atMs }: MarketNow,
  actions: readonly CorporateAction[],
  sinceMs: number,
  isSplit: Followed["isSplit"],
): Promise<ReadonlyMap<number, number>> {
  const calendar = calendarOf(instrument.calendar);
  const found = new Map<number, number>();
  for (const { kind, exDay } of actions) {
    const begin = startOfDay(calendar, exDay);
    if (kind !== "split" || begin > atMs || begin < Math.min(sinceMs, atMs - LATE_ACTION_MS)) continue;
    if (isSplit(begin, startOfDay(calendar, exDay + 1))) continue;
    const close = await feed.closeBefore(instrument, begin);
    if (close !== null) found.set(begin, close);
  }
  return found;
}
