import type { CorporateAction } from "../../core/market/actions.js";
import {
  type AdjustedAt,
  type Adjustment,
  type DailyCloses,
  type Effect,
  effectsOf,
  type PriceBasis,
  type Steps,
  startOfDay,
  stepsOf,
  type View,
  viewCandles,
} from "../../core/market/adjust.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf, regularOpen, tradingDay } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { KnownInstrument } from "../instruments/store.js";
import { type Actions, type KnownActions, NO_SOURCE } from "./actions.js";
import { mendWeeks } from "./adjusted-weeks.js";
import type { CandleService, CandleSet } from "./candles.js";
import { carriedSplits } from "./carried-splits.js";
import type { WatchDividends } from "./dividend-watch.js";
import { joinNotes, stepNotes, unadjustedNote } from "./notes.js";

/** What was done to the prices of an answer. */
export interface AdjustmentFacts {
  /** `given`: as their source gave them. */
  readonly view: Adjustment | "given";
  /** What the sources adjust the prices for; null without bars. */
  readonly basis: PriceBasis | "mixed" | null;
  readonly effects: readonly Effect[];
  /** Who told of the actions; null where nobody was asked or heard. */
  readonly source: string | null;
  /** Why actions are not known, or not lately; null otherwise. */
  readonly trouble: string | null;
}

/** Which prices are wanted. */
export interface Wanted {
  readonly view: Adjustment | "given";
  /** As they were known at a moment, epoch ms; as they are known now without it. */
  readonly knownAtMs?: number | undefined;
}

/** Candles as they traded or adjusted, from what is stored as given. */
export interface AdjustedCandles {
  /**
   * The newest bars of a stretch. @throws {AppError} as candles do, and `adjustment_unavailable` where the view cannot be had.
   */
  loadRange(
    instrument: KnownInstrument,
    interval: Interval,
    stretch: { readonly from: number; readonly to: number },
    limit: number,
    wanted: Wanted,
  ): Promise<CandleSet>;
  /**
   * The same candles in the split view as far as splits are known, so that nothing computed of them sees one as a fall:
   * what there is no knowing of is as given, and the set says so.
   */
  readonly steady: CandleService;
}

const CLOSE_MARGIN_DAYS = 10;
const NONE_CARRIED: ReadonlySet<CorporateAction> = new Set();

export interface AdjustedOptions {
  readonly candles: CandleService;
  readonly actions: Actions;
  readonly gateway: Gateway;
  readonly now: () => number;
  /** Absent for reads that tell nobody. */
  readonly watchDividends?: WatchDividends;
}

export function createAdjusted(options: AdjustedOptions): AdjustedCandles {
  const { candles, actions, gateway, now } = options;

  async function show(set: CandleSet, wanted: Wanted, strict: boolean): Promise<CandleSet> {
    const basis = basisOf(set.adjustedAt, set.candles.time.length);
    const asGiven = { view: "given", basis, effects: [], source: null, trouble: null } as const;
    const plain = wanted.view === "given" && (wanted.knownAtMs === undefined || basis === "none");
    if (basis === null)
      return { ...set, adjustment: { ...asGiven, view: plain ? "given" : wanted.view, trouble: null } };
    if (plain) {
      const trouble = await mixture(actions, set);
      return { ...set, note: await givenNote(actions, set), adjustment: { ...asGiven, trouble } };
    }
    const { instrument } = set;
    const told = await actions.load(instrument, wanted.knownAtMs);
    const refusal = refusalOf(set, wanted.view, basis, told);
    if (refusal !== null) {
      if (strict) throw refusal;
      const note = joinNotes(set.note, ...stepNotes(set, told.actions));
      return { ...set, note, adjustment: { ...asGiven, source: told.source, trouble: refusal.message } };
    }
    const note = joinNotes(set.note, ...stepNotes(set, told.actions), ...told.notes);
    const carried = wanted.view === "given" ? NONE_CARRIED : await carriedSplits(options, set, told.actions);
    const [split] = carried;
    if (split !== undefined && wanted.view !== "split") throw carriedRefusal(set, split);
    const calendar = calendarOf(instrument.calendar);
    const closes = wanted.view === "all" ? await closesFor(options, set, told.actions) : null;
    // What is computed from days sees their dividends without asking for more.
    const seen = closes ?? (set.candles.interval === "1d" ? tradedCloses(set, set, told.actions) : null);
    if (seen !== null) await options.watchDividends?.(instrument, told, seen);
    const steps = stepsOf(told.actions, calendar, instrument.currency, closes, carried);
    const view = {
      adjustment: wanted.view === "given" ? null : wanted.view,
      // In a replay what is to come has not happened.
      horizonMs: Math.min(
        gateway.replay === null ? now() : set.asOfMs,
        wanted.knownAtMs ?? Number.POSITIVE_INFINITY,
      ),
    };
    const shown = viewCandles(set.candles, set.adjustedAt, steps, view);
    const { unapplied } = steps;
    const effects = effectsOf(told.actions, set.candles, set.adjustedAt, calendar, view, unapplied, carried);
    const bars = await mendWeeks(shown, set, effects, (from, to) => shownDays(set, from, to, steps, view));
    const { source, trouble } = told;
    return {
      ...set,
      note,
      candles: bars,
      adjustment: { view: wanted.view, basis, effects, source, trouble },
    };
  }

  /** Days of a stretch in a view; none where there are no days. */
  async function shownDays(
    { instrument, knownAtMs }: CandleSet,
    from: number,
    to: number,
    steps: Steps,
    view: View,
  ) {
    if (!gateway.intervals(instrument).includes("1d")) return null;
    const days = await candles.loadRange(instrument, "1d", from, to, undefined, knownAtMs ?? undefined);
    return viewCandles(days.candles, days.adjustedAt, steps, view);
  }

  const steadily = (set: CandleSet, knownAtMs: number | undefined) =>
    show(set, { view: "split", knownAtMs }, false);

  return {
    async loadRange(instrument, interval, { from, to }, limit, wanted) {
      const set = await candles.loadRange(instrument, interval, from, to, limit, wanted.knownAtMs);
      return show(set, wanted, true);
    },
    steady: {
      ensureStored: candles.ensureStored,
      async loadLatest(instrument, interval, count, knownAtMs) {
        return steadily(await candles.loadLatest(instrument, interval, count, knownAtMs), knownAtMs);
      },
      async loadRange(instrument, interval, fromMs, toMs, limit, knownAtMs) {
        const set = await candles.loadRange(instrument, interval, fromMs, toMs, limit, knownAtMs);
        return steadily(set, knownAtMs);
      },
    },
  };
}

/** What is peculiar about prices that are as given, as far as is known without asking. */
async function givenNote(actions: Actions, set: CandleSet): Promise<string | null> {
  const { actions: told } = await actions.recall(set.instrument, set.knownAtMs ?? undefined);
  return joinNotes(set.note, unadjustedNote(set, told), ...stepNotes(set, told));
}

/** That prices were given before a split and after it, so that they do not fit together; null where they do. */
async function mixture(
  actions: Actions,
  { instrument, adjustedAt, candles: { time } }: CandleSet,
): Promise<string | null> {
  const moments = (adjustedAt ?? new Float64Array()).filter(Number.isFinite);
  const first = moments.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const last = moments.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!(last - first > DAY_MS)) return null;
  const calendar = calendarOf(instrument.calendar);
  const { actions: told } = await actions.load(instrument);
  const split = told.find((action) => {
    const ex = startOfDay(calendar, action.exDay);
    return action.kind === "split" && ex > Math.max(first, time[0]) && ex <= last;
  });
  if (split === undefined) return null;
  const date = dateOf(split.exDay);
  return `Some prices were given before the split of ${date} and some after it: adjustment=split puts them on one scale`;
}

/** Closes as they traded around the ex-days of dividends that concern a set. */
async function closesFor(
  { candles, gateway, now }: AdjustedOptions,
  set: CandleSet,
  all: readonly CorporateAction[],
): Promise<DailyCloses> {
  const { instrument, candles: bars, knownAtMs } = set;
  const calendar = calendarOf(instrument.calendar);
  const first = tradingDay(calendar, bars.time[0]);
  const days = all.flatMap((each) => (each.kind === "dividend" && each.exDay > first ? [each.exDay] : []));
  const none = { day: new Float64Array(0), close: new Float64Array(0) };
  if (days.length === 0 || !gateway.intervals(instrument).includes("1d")) return none;
  const from = regularOpen(calendar, dateOf(Math.min(...days) - CLOSE_MARGIN_DAYS)) ?? 0;
  const to = Math.min(now(), (Math.max(...days) + 1) * DAY_MS);
  const daily = await candles.loadRange(instrument, "1d", from, to, undefined, knownAtMs ?? undefined);
  return tradedCloses(set, daily, all);
}

/** Closes of days as they traded. */
function tradedCloses(
  { instrument }: Pick<CandleSet, "instrument">,
  daily: Pick<CandleSet, "candles" | "adjustedAt">,
  all: readonly CorporateAction[],
): DailyCloses {
  const calendar = calendarOf(instrument.calendar);
  const splits = stepsOf(
    all.filter(({ kind }) => kind === "split"),
    calendar,
    instrument.currency,
    null,
  );
  const raw = viewCandles(daily.candles, daily.adjustedAt, splits, {
    adjustment: "raw",
    horizonMs: Number.POSITIVE_INFINITY,
  });
  return { day: Float64Array.from(raw.time, (time) => tradingDay(calendar, time)), close: raw.close };
}

function basisOf(adjustedAt: AdjustedAt, length: number): AdjustmentFacts["basis"] {
  if (length === 0) return null;
  if (adjustedAt === null) return "none";
  const kinds = new Set(Array.from(adjustedAt, basisAt));
  if (kinds.size === 1) return [...kinds][0];
  // What cannot be told from the others decides.
  return kinds.has("all") ? "all" : kinds.has("unknown") ? "unknown" : "mixed";
}

function basisAt(until: number): PriceBasis {
  if (Number.isNaN(until)) return "none";
  if (Number.isFinite(until)) return "split";
  return until > 0 ? "all" : "unknown";
}

/** Why a view cannot be had; null when it can. */
function refusalOf(
  { instrument, candles: { time } }: CandleSet,
  view: Wanted["view"],
  basis: NonNullable<AdjustmentFacts["basis"]>,
  { actions, known, trouble }: KnownActions,
): AppError | null {
  const { symbol, calendar } = instrument;
  if (basis === "all") {
    const text = `Prices of ${symbol} come adjusted for dividends, which cannot be taken out of them`;
    return new AppError("adjustment_unavailable", text);
  }
  const first = tradingDay(calendarOf(calendar), time[0]);
  if (basis === "unknown" && actions.some(({ kind, exDay }) => kind === "split" && exDay > first)) {
    const text = `The source of ${symbol} does not say whether its prices are adjusted for splits, of which there are`;
    return new AppError("adjustment_unavailable", text);
  }
  const inThem = (view === "raw" && basis === "none") || (view === "split" && basis === "split");
  if (known || inThem || view === "given") return null;
  const reason = trouble ?? NO_SOURCE;
  const text = `Prices of ${symbol} cannot be given as ${view}: ${reason}`;
  return new AppError(reason === NO_SOURCE ? "adjustment_unavailable" : "provider_unavailable", text);
}

/** Prices that are not what their source says of them: what else was done to them is not known. */
function carriedRefusal({ instrument: { symbol } }: CandleSet, { exDay }: CorporateAction): AppError {
  const text = `Prices of ${symbol} are said to be as they traded, but carry the split of ${dateOf(exDay)} already`;
  return new AppError("adjustment_unavailable", text);
}
