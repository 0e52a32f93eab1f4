import { normaliseSymbol } from "../../core/market/instrument.js";
import type { Interval } from "../../core/market/interval.js";
import type { Fusion } from "../../core/signals/timeframes.js";
import { AppError } from "../../platform/errors.js";
import type { Workers } from "../../platform/workers.js";
import type { CandleService } from "../candles/candles.js";
import type { Quotes } from "../candles/quotes.js";
import type { Evidence } from "../evidence/evidence.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { LayerWeighing } from "../models/layers.js";
import type { ToldScores } from "../models/told.js";
import type { Sentiment } from "../sentiment/sentiment.js";
import type { DeepLook } from "./deep.js";
import { type ExitReading, type HeldPosition, readExits } from "./exits.js";
import { HEATMAP_INTERVALS, type Heatmap, mapPatterns, type OtherMap } from "./heatmap.js";
import { type LedPattern, leadBy } from "./lead.js";
import {
  type BlindTimeframe,
  createLooks,
  type Knowable,
  leadingPattern,
  RECENT_BARS,
  type TimeframeLook,
} from "./look.js";
import {
  type Found,
  FUSED_INTERVALS,
  fuseLooks,
  type Gathered,
  isLook,
  type Reading,
  readMarket,
  type Silenced,
} from "./reading.js";

export interface Signals {
  /**
   * Everything that is known of a symbol now, by an interval.
   * @throws {AppError} `symbol_invalid`, `symbol_unknown`; of the interval itself `interval_unavailable`, `no_data`,
   * `provider_unavailable`, `timed_out`. Other intervals, sentiment and quote may be missing.
   */
  read(symbol: string, interval: Interval, silenced?: Silenced): Promise<Reading>;
  /** Everything that could be known of a symbol as of a moment, but for the quote. @throws {AppError} as `read`. */
  readAsOf(symbol: string, interval: Interval, asOf: Knowable): Promise<Reading>;
  /** What 1h, 4h and 1d say of the direction together. @throws {AppError} as `read`, where none of them can be had. */
  directions(symbol: string): Promise<Directions>;
  /** Of several symbols, each once however it is spelt; those that could not be read come with why. @throws {AppError} where none could be. */
  readMany(
    symbols: readonly string[],
    interval: Interval,
  ): Promise<{ readings: Reading[]; missing: { symbol: string; reason: string }[] }>;
  /** The pattern on the newest bars that says most, with the layers in its direction. @throws {AppError} `no_pattern`, and as `read`. */
  detect(symbol: string, interval: Interval): Promise<LedPattern>;
  /** @throws {AppError} as `read`, where no interval can be had. */
  heatmap(symbol: string, intervals?: readonly Interval[]): Promise<Heatmap>;
  /** Of several symbols, in their order; those that could not be looked at come with why. */
  heatmaps(symbols: readonly string[]): Promise<OtherMap[]>;
  /** Reasons to close positions. @param held what is held of a symbol in its one spelling. @throws {AppError} as `read`. */
  exits(symbol: string, interval: Interval, held: HeldIn): Promise<ExitReading>;
}

/** Intervals whose directions are fused, with what they come to. */
export interface Directions {
  readonly instrument: KnownInstrument;
  readonly looks: Gathered["looks"];
  readonly timeframes: Fusion;
}

/** Positions in a symbol. @param symbol as instruments spell it. */
export type HeldIn = (symbol: string) => Promise<readonly HeldPosition[]> | readonly HeldPosition[];

export interface SignalOptions {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly quotes: Pick<Quotes, "load">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly sentiment: Pick<Sentiment, "measure">;
  readonly evidence: Pick<Evidence, "confidenceOf">;
  readonly workers: Workers;
  readonly deep: Pick<DeepLook, "say">;
  readonly told: ToldScores;
  /** How layers are weighed now. @param madeByMs leaves out weights that were learned later. */
  readonly weighing: (madeByMs?: number) => LayerWeighing;
}

const NO_QUOTE = { value: null, reason: "quotes of the past are not kept" } as const;
/** Symbols that are read side by side. */
const AT_A_TIME = 4;

export function createSignals(options: SignalOptions): Signals {
  const { quotes, instruments, sentiment } = options;
  const looks = createLooks(options);

  async function gather(instrument: KnownInstrument, others: readonly Interval[], asOf?: Knowable) {
    const [looked, measured, quote] = await Promise.all([
      Promise.all(others.map((interval) => looks.tryLook(instrument, interval, asOf))),
      found(() => sentiment.measure(instrument.symbol, asOf?.closedByMs)),
      asOf === undefined ? found(() => quotes.load(instrument)) : NO_QUOTE,
    ]);
    return { looks: looked, sentiment: measured, quote, weighing: options.weighing(asOf?.madeByMs) };
  }

  async function read(
    symbol: string,
    interval: Interval,
    silenced?: Silenced,
    asOf?: Knowable,
  ): Promise<Reading> {
    const instrument = await instruments.resolve(symbol);
    const others = FUSED_INTERVALS.filter((other) => other !== interval);
    const [main, gathered] = await Promise.all([
      looks.look(instrument, interval, asOf),
      gather(instrument, others, asOf),
    ]);
    return readMarket({ ...gathered, looks: [main, ...gathered.looks] }, main, silenced);
  }

  async function heatmap(
    symbol: string,
    intervals: readonly Interval[] = HEATMAP_INTERVALS,
  ): Promise<Heatmap> {
    const instrument = await instruments.resolve(symbol);
    const wanted = [...new Set<Interval>([...intervals, ...FUSED_INTERVALS])];
    const gathered = await gather(instrument, wanted);
    const shown = intervals.map((interval) => ofInterval(gathered.looks, interval));
    requireSome(shown);
    return mapPatterns(instrument, gathered, shown);
  }

  return {
    read: (symbol, interval, silenced) => read(symbol, interval, silenced),
    readAsOf: (symbol, interval, asOf) => read(symbol, interval, undefined, asOf),

    async directions(symbol) {
      const instrument = await instruments.resolve(symbol);
      const found = await Promise.all(FUSED_INTERVALS.map((interval) => looks.tryLook(instrument, interval)));
      requireSome(found);
      return { instrument, looks: found, timeframes: fuseLooks(found) };
    },

    async readMany(symbols, interval) {
      const named = new Map(symbols.map((text) => [normaliseSymbol(text) ?? text, text] as const));
      const results = await ofMany([...named.values()], (symbol) => read(symbol, interval));
      const readings = results.flatMap(({ found }) => found ?? []);
      const failures = results.flatMap(({ symbol, error }) => (error === null ? [] : [{ symbol, error }]));
      if (readings.length === 0 && failures.length > 0) throw failures[0].error;
      const missing = failures.map(({ symbol, error }) => ({ symbol, reason: error.message }));
      return { readings, missing };
    },

    async detect(symbol, interval) {
      const reading = await read(symbol, interval);
      const pattern = leadingPattern(reading.live);
      if (pattern !== null) return leadBy(reading, pattern);
      const { instrument } = reading.main.set;
      const text = `No confirmed pattern whose trade is open is on the newest ${RECENT_BARS} ${interval} bars of ${instrument.symbol}`;
      throw new AppError("no_pattern", text);
    },

    heatmap,

    async heatmaps(symbols) {
      const results = await ofMany(symbols, (symbol) => heatmap(symbol));
      return results.map(({ symbol, found, error }) =>
        found === null ? { symbol, map: null, reason: error.message } : { symbol, map: found, reason: null },
      );
    },

    async exits(symbol, interval, held) {
      const instrument = await instruments.resolve(symbol);
      const positions = await held(instrument.symbol);
      const [main, { sentiment: measured, quote }] = await Promise.all([
        looks.look(instrument, interval),
        gather(instrument, []),
      ]);
      return readExits(main, measured, quote, positions);
    },
  };
}

type Result<T> =
  | { readonly symbol: string; readonly found: T; readonly error: null }
  | { readonly symbol: string; readonly found: null; readonly error: AppError };

/** What was found of each symbol, in their order, or the error of its own that it met; four at a time. */
async function ofMany<T>(
  symbols: readonly string[],
  find: (symbol: string) => Promise<T>,
): Promise<Result<T>[]> {
  const results = new Array<Result<T>>(symbols.length);
  const queue = symbols.map((symbol, place) => ({ symbol, place }));
  async function work(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { symbol, place } = next;
      try {
        results[place] = { symbol, found: await find(symbol), error: null };
      } catch (error) {
        results[place] = { symbol, found: null, error: requireOwn(error) };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, queue.length) }, work));
  return results;
}

/** @throws {AppError} why the first could not be looked at, where none could be. */
function requireSome(looks: Gathered["looks"]): void {
  if (looks.some(isLook)) return;
  for (const look of looks) if (!isLook(look)) throw look.error;
}

function ofInterval(looks: readonly (TimeframeLook | BlindTimeframe)[], interval: Interval) {
  const look = looks.find((each) => each.interval === interval);
  if (look === undefined) throw new Error(`${interval} was not looked at`);
  return look;
}

/** A failure that concerns one symbol or source. @throws what concerns everything. */
function requireOwn(error: unknown): AppError {
  if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
  return error;
}

async function found<T>(work: () => Promise<T>): Promise<Found<T>> {
  try {
    return { value: await work(), reason: null };
  } catch (error) {
    return { value: null, reason: requireOwn(error).message };
  }
}
