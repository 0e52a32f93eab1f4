import { lowerBound } from "../core/base/search.js";
import type { PriceBasis } from "../core/market/adjust.js";
import { barClose, firstWholeBar, lastClosedBar, openBefore } from "../core/market/bar-times.js";
import { barAt, type Candles, candlesFromRows, emptyCandles, sliceCandles } from "../core/market/candles.js";
import type { RejectedBar, RowNote } from "../core/market/collect.js";
import { DAY_MS } from "../core/market/day.js";
import { classifySymbol, type Instrument } from "../core/market/instrument.js";
import { INTERVAL_MS, type Interval } from "../core/market/interval.js";
import { firstFormingBar, regularBars, resample, straddledBars } from "../core/market/resample.js";
import { type Calendar, calendarOf, isKnown, isOpen } from "../core/market/session.js";
import { baseOf } from "./base-interval.js";
import { type CandleRequest, type Provider, ProviderError } from "./define.js";
import { noAnswer, type Refusal, reasonsOf, type Sources } from "./sources.js";

/** What one source gave. */
export interface Part {
  /** Closed bars of regular sessions. */
  readonly candles: Candles;
  readonly source: string;
  /** What its prices are adjusted for. */
  readonly basis: PriceBasis;
  /** What it gave of the time before, which another source has: to tell whether both speak of one instrument. */
  readonly overlap: Candles | null;
  readonly rejected: readonly RejectedBar[];
  readonly notes: readonly RowNote[];
}

export interface Fetched {
  /** Closed bars of regular sessions that open in the stretch that was asked for. */
  readonly candles: Candles;
  /** The same by source, in the order of preference; they do not overlap. */
  readonly parts: readonly Part[];
  /** Source of the newest bar; of the first that was asked when there is none. */
  readonly source: string;
  readonly synthetic: boolean;
  /** The moment the data of the sources have reached. */
  readonly asOfMs: number;
  /** Up to here all who have a say were heard: before the end of the stretch where one of them failed. */
  readonly heardUntilMs: number;
  /** Why not; null when all were heard. */
  readonly trouble: string | null;
  readonly rejected: readonly RejectedBar[];
}

/** How far the bars of an interval of one source go. */
export interface Reach {
  /** Own interval they are made of. */
  readonly base: Interval;
  /** Open of the earliest. */
  readonly fromMs: number;
  readonly asOfMs: number;
}

/** Null when the source has no bars of the interval and none to make them of. @throws {ProviderError} */
export async function reachOf(
  provider: Provider,
  instrument: Instrument,
  interval: Interval,
  nowMs: number,
): Promise<Reach | null> {
  const base = baseOf(provider, instrument, interval);
  if (base === null) return null;
  const asOfMs = await provider.feedNowMs(instrument, base, nowMs);
  const earliest = await provider.earliestMs(instrument, base, nowMs);
  const whole = base !== interval && Number.isFinite(earliest);
  const fromMs = whole ? firstWholeBar(calendarOf(instrument.calendar), interval, earliest) : earliest;
  return { base, fromMs, asOfMs };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** What the sources have of a stretch: of the first all that it reaches, of each next one what is then left. */
export async function fetchFromAll(sources: Sources, wanted: CandleRequest, nowMs: number): Promise<Fetched> {
  const { instrument, interval, fromMs, toMs } = wanted;
  const calendar = calendarOf(instrument.calendar);
  const topic = { instrument, kind: "candles" } as const;
  const carriers = sources.carriers(instrument, topic.kind);
  const parts: Part[] = [];
  const refusals: Refusal[] = [];
  const unheard: number[] = [];
  let left: Span[] = [{ from: fromMs, to: toMs }];
  let asOfMs = 0;
  const question = sources.question();
  for (const [i, provider] of carriers.entries()) {
    const until = question.shareOf(carriers.slice(i));
    const answer = await sources.answerOf(provider, topic, async () => {
      const reach = await sources.look(provider, () => reachOf(provider, instrument, interval, nowMs));
      const newest = reach === null ? null : lastClosedBar(calendar, interval, reach.asOfMs);
      if (reach === null || newest === null) return;
      asOfMs = Math.max(asOfMs, reach.asOfMs);
      // Whoever comes before it in order may have given what is stored of the time before.
      const others = i > 0;
      const end = barClose(calendar, interval, newest);
      for (const { from, to } of left) {
        const piece = { from: Math.max(from, reach.fromMs), to: Math.min(to, Math.max(reach.asOfMs, end)) };
        // A bar that is newest and closed before the piece leaves nothing to ask for, unless nobody was asked.
        if (piece.from >= piece.to || (parts.length > 0 && newest < piece.from)) continue;
        const sinceMs = others ? overlapFrom(calendar, interval, piece.from, reach) : piece.from;
        const request = { ...wanted, fromMs: piece.from, toMs: piece.to, sinceMs };
        parts.push(await fetchFrom(sources, provider, request, reach, until, nowMs));
        left = without(left, { from: piece.from, to: Math.min(piece.to, end) });
      }
    });
    if (!(answer instanceof ProviderError)) continue;
    refusals.push({ provider, error: answer });
    if (answer.failure !== "unknown_symbol") unheard.push(...left.map(({ from }) => from));
  }
  if (refusals.length === carriers.length && parts.length === 0) throw noAnswer(instrument, refusals);
  const open = unheard.filter((moment) => left.some(({ from, to }) => moment >= from && moment < to));
  const failed = refusals.filter(({ error }) => error.failure !== "unknown_symbol");
  if (parts.length === 0 && open.length > 0) throw noAnswer(instrument, failed);
  const ordered = [...parts].sort((a, b) => (a.candles.time[0] ?? 0) - (b.candles.time[0] ?? 0));
  const last = ordered.at(-1);
  return {
    candles: joined(ordered, instrument.symbol, interval),
    parts,
    source: last?.source ?? carriers[0].name,
    synthetic: carriers.some(({ synthetic }) => synthetic),
    asOfMs,
    heardUntilMs: Math.min(toMs, ...open),
    trouble:
      open.length === 0 ? null : `No source gave all data for ${instrument.symbol} (${reasonsOf(failed)})`,
    rejected: parts.flatMap(({ rejected }) => rejected),
  };
}

/** Bars of another source's time that are asked for with those that are wanted: enough to compare returns. */
const OVERLAP_BARS = 80;

function overlapFrom(
  calendar: Calendar,
  interval: Interval,
  fromMs: number,
  { fromMs: first }: Reach,
): number {
  return Math.min(fromMs, Math.max(first, openBefore(calendar, interval, fromMs, OVERLAP_BARS)));
}

/** Spans without the moments of another. */
function without(spans: readonly Span[], { from, to }: Span): Span[] {
  return spans
    .flatMap((span) => [
      { from: span.from, to: Math.min(span.to, from) },
      { from: Math.max(span.from, to), to: span.to },
    ])
    .filter((span) => span.from < span.to);
}

function joined(parts: readonly Part[], symbol: string, interval: Interval): Candles {
  if (parts.length === 0) return emptyCandles(symbol, interval);
  if (parts.length === 1) return parts[0].candles;
  const rows = parts.flatMap(({ candles }) => Array.from(candles.time, (_, i) => barAt(candles, i)));
  return candlesFromRows(symbol, interval, rows);
}

/** What one source has of a stretch, as closed bars of an interval that may be longer than its own. */
async function fetchFrom(
  sources: Sources,
  provider: Provider,
  { instrument, interval, fromMs, toMs, sinceMs }: CandleRequest & { readonly sinceMs: number },
  { base, asOfMs }: Reach,
  until: number,
  nowMs: number,
): Promise<Part> {
  // Whole bars at both ends when they are made of finer ones.
  const margin = base === interval ? 0 : INTERVAL_MS[interval];
  const request = { instrument, interval: base, fromMs: sinceMs - margin, toMs: toMs + margin };
  const {
    candles,
    rejected,
    notes = [],
  } = await sources.ask(provider, until, async (signal) => {
    const collected = await provider.fetchCandles(request, signal);
    // Another source may do better than one whose every row is no bar.
    const first = collected.rejected.find(({ time }) => !isBeside(time, request));
    if (first === undefined || collected.candles.time.length > 0) return collected;
    throw new ProviderError("bad_payload", `no row is a bar: ${first.reason}`);
  });
  const { held, sound } = withoutImpossible(candles, instrument, nowMs);
  const shifted = held.length === 0 ? null : shiftOfDays(candles, instrument);
  if (shifted !== null) throw new ProviderError("bad_payload", `all its days are a day ${shifted}`);
  const closed = closedBars(sound, instrument, interval, { from: fromMs, to: toMs }, asOfMs);
  const before = { from: sinceMs, to: fromMs };
  return {
    candles: closed.candles,
    source: provider.name,
    basis: provider.basis?.(instrument, base) ?? "unknown",
    overlap: sinceMs < fromMs ? closedBars(sound, instrument, interval, before, asOfMs).candles : null,
    rejected: [...rejected, ...held.filter(({ time }) => time >= fromMs && time < toMs), ...closed.rejected],
    notes,
  };
}

const CLOSED_DAY = { fault: "off_session", reason: "the exchange was closed on this day" } as const;
const FUTURE = { fault: "future", reason: "time lies in the future" } as const;
/** A bar may be so much newer than the clock here. */
const CLOCK_TOLERANCE_MS = 120_000;

/**
 * Bars of the future and days on which the exchange was closed, apart from the others. A day is closed by the calendar
 * of the instrument's own exchange, where that is known: instruments that go by the calendar of another keep theirs.
 */
function withoutImpossible(
  candles: Candles,
  instrument: Instrument,
  nowMs: number,
): { sound: Candles; held: RejectedBar[] } {
  const calendar = calendarOf(instrument.calendar);
  const own = classifySymbol(instrument.symbol)?.calendar === instrument.calendar;
  const wrongWith = (time: number) => {
    if (time > nowMs + CLOCK_TOLERANCE_MS) return FUTURE;
    return own && candles.interval === "1d" && isClosedDay(calendar, time) ? CLOSED_DAY : null;
  };
  const held: RejectedBar[] = [];
  for (const time of candles.time) {
    const wrong = wrongWith(time);
    if (wrong !== null) held.push({ time, ...wrong });
  }
  return {
    held,
    sound: held.length === 0 ? candles : selected(candles, (i) => wrongWith(candles.time[i]) === null),
  };
}

/** Daily bars of closed days that are no accident: so many, and at least this share. */
const LEAST_CLOSED = 2;
const CLOSED_SHARE = 0.1;
/** Past the open of every session, also on days whose clock is an hour off that of the day beside. */
const INTO_SESSION_MS = 2 * 3_600_000;

/** Which way days are off that all were sessions if they stood a day beside; null where they are not. */
function shiftOfDays({ time, interval }: Candles, { calendar: id }: Instrument): "late" | "early" | null {
  const calendar = calendarOf(id);
  const closed = (offset: number) =>
    time.filter((at) => isClosedDay(calendar, at + INTO_SESSION_MS + offset)).length;
  const own = interval === "1d" ? closed(0) : 0;
  if (own < LEAST_CLOSED || own < CLOSED_SHARE * time.length) return null;
  if (closed(-DAY_MS) === 0) return "late";
  return closed(DAY_MS) === 0 ? "early" : null;
}

function isClosedDay(calendar: Calendar, time: number): boolean {
  return isKnown(calendar, time) && !isOpen(calendar, time);
}

/** Whether a moment lies shortly before or after a stretch: rows from there were not asked for. */
function isBeside(time: number, { fromMs, toMs }: CandleRequest): boolean {
  return (time < fromMs && time >= fromMs - BESIDE_MS) || (time >= toMs && time < toMs + BESIDE_MS);
}

const BESIDE_MS = 2 * 86_400_000;

/** Of what a source sent, the closed bars of regular sessions, as bars of an interval that open in a stretch. */
function closedBars(
  candles: Candles,
  instrument: Instrument,
  interval: Interval,
  stretch: Span,
  asOfMs: number,
): { candles: Candles; rejected: RejectedBar[] } {
  const calendar = calendarOf(instrument.calendar);
  const known = sliceCandles(candles, 0, firstFormingBar(candles, calendar, asOfMs));
  const made = resample(onlyRegular(known, instrument), interval, calendar);
  const from = lowerBound(made.time, stretch.from);
  const to = Math.min(lowerBound(made.time, stretch.to), firstFormingBar(made, calendar, asOfMs));
  if (from >= to) return { candles: emptyCandles(instrument.symbol, interval), rejected: [] };
  const wanted = sliceCandles(made, from, to);
  const straddled: ReadonlySet<number> =
    interval === candles.interval ? new Set() : straddledBars(known, interval, calendar);
  if (straddled.size === 0) return { candles: wanted, rejected: [] };
  const wrong = { fault: "off_session", reason: `a ${candles.interval} bar lies across its edge` } as const;
  return {
    candles: selected(wanted, (i) => !straddled.has(wanted.time[i])),
    rejected: [...wanted.time].filter((time) => straddled.has(time)).map((time) => ({ time, ...wrong })),
  };
}

/** Without bars from outside the regular sessions. */
function onlyRegular(candles: Candles, instrument: Instrument): Candles {
  const flags = regularBars(candles, calendarOf(instrument.calendar));
  return flags.every((flag) => flag === 1) ? candles : selected(candles, (i) => flags[i] === 1);
}

function selected(
  { symbol, interval, time, open, high, low, close, volume }: Candles,
  wanted: (i: number) => boolean,
): Candles {
  const keep = (column: Float64Array) => column.filter((_, i) => wanted(i));
  return {
    symbol,
    interval,
    time: keep(time),
    open: keep(open),
    high: keep(high),
    low: keep(low),
    close: keep(close),
    volume: keep(volume),
  };
}
