import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay } from "../../core/market/adjust.js";
import type { Bars } from "../../core/market/candles.js";
import { DAY_MS } from "../../core/market/day.js";
import type { Instrument } from "../../core/market/instrument.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import { countedOf, type RepeatedSplit, repeatedSplits } from "../../core/quality/repeated-splits.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { ActionStore, StoredAction } from "./action-store.js";
import { repeatedText, type WatchActions } from "./action-watch.js";

/** Whoever tells of splits and dividends. */
export interface ActionSource {
  /**
   * With ex-days in [fromDay, toDay), days since 1970-01-01.
   * @throws {AppError} `source_missing` when none tells of any, otherwise when none answers.
   */
  fetchActions(
    instrument: Instrument,
    fromDay: number,
    toDay: number,
  ): Promise<{ readonly value: readonly CorporateAction[]; readonly source: string }>;
  /** What is told of the actions of an instrument and cannot be read, in words. */
  actionFaults?(instrument: Instrument): readonly string[];
}

/** What is known of the actions of an instrument. */
export interface KnownActions {
  /** By ex-day, those of one source; with a moment, those known then and, after it, those known now. */
  readonly actions: readonly CorporateAction[];
  /** Who told them; null while nobody has, and for instruments that have none. */
  readonly source: string | null;
  /** False where nobody was ever heard: that there are none is then not known. */
  readonly known: boolean;
  /** Why nobody was heard, or not lately; null otherwise. */
  readonly trouble: string | null;
  /** What was told and is not among the actions, and why. */
  readonly notes: readonly string[];
}

export interface Actions {
  /** As they are known now or were at a moment, epoch ms. Asks once a day and when a quarter of one has passed. */
  load(instrument: KnownInstrument, knownAtMs?: number): Promise<KnownActions>;
  /** The same as far as somebody was asked before: asks nobody. */
  recall(instrument: KnownInstrument, knownAtMs?: number): Promise<KnownActions>;
}

export const NO_SOURCE = "no source for corporate actions";
/** Announced ones are kept, and count from their ex-day on. */
const AHEAD_DAYS = 90;
const FRESH_MS = 6 * 3_600_000;
const RETRY_MS = 600_000;
/** How long what was read from the database holds. */
const MEMORY_MS = 60_000;
/** Days around the ex-days of a split that is listed twice of which prices are looked at. */
const MARGIN_DAYS = 7;

const SHARES: ReadonlySet<string> = new Set(["equity", "etf"]);

const NOTHING: KnownActions = { actions: [], source: null, known: true, trouble: null, notes: [] };

interface Remembered {
  readonly atMs: number;
  readonly told: Promise<Told>;
}
type Told = Awaited<ReturnType<ActionStore["load"]>> & {
  readonly trouble: string | null;
  readonly leftOut: readonly string[];
};

/** Stored days of a stretch, as they were given. */
export type StoredDays = (
  instrument: KnownInstrument,
  fromMs: number,
  toMs: number,
  knownAtMs?: number,
) => Promise<Bars>;

export function createActions(options: {
  store: ActionStore;
  source: ActionSource;
  /** Tells on which of two days a split that is listed twice shows; the first counts without it. */
  days?: StoredDays;
  watch?: WatchActions;
  now: () => number;
  log: Log;
}): Actions {
  const { store, source, now, log } = options;
  const remembered = new Map<number, Remembered>();
  const failures = new Map<number, { readonly atMs: number; readonly reason: string }>();

  /** Asks the source, and writes down what it tells. @returns why it could not be heard, or null. */
  async function ask(instrument: KnownInstrument, standing: number): Promise<string | null> {
    const { id, symbol, calendar } = instrument;
    const failed = failures.get(id);
    if (failed !== undefined && now() - failed.atMs < RETRY_MS) return failed.reason;
    try {
      const toDay = tradingDay(calendarOf(calendar), now()) + AHEAD_DAYS;
      const { value, source: name } = await source.fetchActions(instrument, 0, toDay);
      // What happened does not cease to have happened; a source that says so is not believed.
      if (value.length === 0 && standing > 0) throw new AppError("no_data", `${name} no longer tells of any`);
      const { added, restated } = await store.record(id, name, value, now());
      if (added + restated > 0)
        log.info({ symbol, source: name, added, restated }, "corporate actions recorded");
      failures.delete(id);
      return null;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      const reason = error.code === "source_missing" ? NO_SOURCE : error.message;
      failures.set(id, { atMs: now(), reason });
      if (reason !== NO_SOURCE) log.warn({ symbol, reason }, "corporate actions not heard");
      return reason;
    }
  }

  async function read(instrument: KnownInstrument): Promise<Told> {
    const told = await store.load(instrument.id);
    const asked = told.asks.at(-1)?.lastMs;
    const leftOut = source.actionFaults?.(instrument) ?? [];
    if (asked !== undefined && isFresh(instrument, asked, now())) return { ...told, trouble: null, leftOut };
    const standing = told.actions.filter(({ restatedMs }) => restatedMs === null).length;
    const trouble = await ask(instrument, standing);
    const newest = trouble === null ? await store.load(instrument.id) : told;
    return { ...newest, trouble, leftOut };
  }

  async function knownOf(
    instrument: KnownInstrument,
    { actions, asks, trouble, leftOut }: Told,
    knownAtMs: number | undefined,
  ): Promise<KnownActions> {
    const heard = asks.filter(({ firstMs }) => knownAtMs === undefined || firstMs <= knownAtMs);
    const source = (heard.at(-1) ?? asks.at(-1))?.source ?? null;
    const calendar = calendarOf(instrument.calendar);
    const chosen = actions
      .filter(
        (stored) =>
          stored.source === source && isKnown(stored, startOfDay(calendar, stored.action.exDay), knownAtMs),
      )
      .map(({ action }) => action);
    const repeated = await repeatsAmong(options.days, instrument, chosen, knownAtMs);
    if (source !== null && repeated.length + leftOut.length > 0)
      await options.watch?.(instrument, { source, repeated, leftOut });
    const none = new Set<CorporateAction>(repeated.map(({ split }) => split));
    return {
      actions: chosen.filter((action) => !none.has(action)),
      source,
      known: source !== null,
      trouble,
      notes: [...repeated.map(repeatedText), ...leftOut],
    };
  }

  const hasActions = ({ synthetic, assetClass }: KnownInstrument) => !synthetic && SHARES.has(assetClass);

  return {
    async load(instrument, knownAtMs) {
      if (!hasActions(instrument)) return NOTHING;
      let found = remembered.get(instrument.id);
      if (found === undefined || now() - found.atMs >= MEMORY_MS) {
        found = { atMs: now(), told: read(instrument) };
        found.told.catch(() => remembered.delete(instrument.id));
        remembered.set(instrument.id, found);
      }
      return knownOf(instrument, await found.told, knownAtMs);
    },

    async recall(instrument, knownAtMs) {
      if (!hasActions(instrument)) return NOTHING;
      const found = remembered.get(instrument.id);
      const stored = async () => ({ ...(await store.load(instrument.id)), trouble: null, leftOut: [] });
      return knownOf(instrument, await (found?.told ?? stored()), knownAtMs);
    },
  };
}

/** Of splits that are listed twice, those that count for nothing. */
async function repeatsAmong(
  days: StoredDays | undefined,
  instrument: KnownInstrument,
  actions: readonly CorporateAction[],
  knownAtMs: number | undefined,
): Promise<RepeatedSplit[]> {
  const repeated: RepeatedSplit[] = [];
  for (const splits of repeatedSplits(actions)) {
    const from = (splits[0].exDay - MARGIN_DAYS) * DAY_MS;
    const to = (splits[splits.length - 1].exDay + MARGIN_DAYS) * DAY_MS;
    const bars = await days?.(instrument, from, to, knownAtMs);
    const counted = bars === undefined ? splits[0] : countedOf(splits, bars);
    const others = splits.filter((split) => split !== counted);
    repeated.push(...others.map((split) => ({ split, counted })));
  }
  return repeated;
}

/** Whether an action is one that counts: now, or at a moment; those of a later ex-day as they are known now. */
function isKnown(
  { knownFromMs, restatedMs }: StoredAction,
  exMs: number,
  knownAtMs: number | undefined,
): boolean {
  if (knownAtMs === undefined || exMs > knownAtMs) return restatedMs === null;
  return (
    (knownFromMs === null || knownFromMs <= knownAtMs) && (restatedMs === null || restatedMs > knownAtMs)
  );
}

/** Whether no day of the exchange has begun since, nor a quarter of one gone by. */
function isFresh({ calendar: id }: KnownInstrument, askedMs: number, nowMs: number): boolean {
  const calendar = calendarOf(id);
  return nowMs - askedMs < FRESH_MS && tradingDay(calendar, askedMs) === tradingDay(calendar, nowMs);
}
