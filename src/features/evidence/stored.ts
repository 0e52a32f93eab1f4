import type { Candles } from "../../core/market/candles.js";
import { BAR_COLUMNS } from "../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Actions } from "../candles/actions.js";
import { createAdjusted } from "../candles/adjusted.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { CandleStore, StoredCandles } from "../candles/store.js";
import type { KnownInstrument } from "../instruments/store.js";

/** Bars, at most, of a statement. */
const PIECE_BARS = 20_000;

export interface StoredSeries {
  readonly instrument: KnownInstrument;
  readonly interval: Interval;
  /** Opens of the first and newest bar, epoch ms. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export const nameOfSeries = ({ instrument, interval }: Pick<StoredSeries, "instrument" | "interval">) =>
  `${instrument.symbol} ${interval}`;

/** Reads what is stored of a series, in the split view as far as splits are known; asks no source for candles. */
export function createStoredReader(options: {
  candleStore: Pick<CandleStore, "load">;
  actions: Actions;
  gateway: Gateway;
  now: () => number;
}): (series: StoredSeries, signal: AbortSignal) => Promise<Candles> {
  const { candleStore, now } = options;

  async function load(
    instrument: KnownInstrument,
    interval: Interval,
    fromMs: number,
    toMs: number,
    signal?: AbortSignal,
  ): Promise<CandleSet> {
    const step = PIECE_BARS * INTERVAL_MS[interval];
    const pieces: StoredCandles[] = [];
    for (let from = fromMs; from < toMs; from += step) {
      signal?.throwIfAborted();
      const { id, symbol } = instrument;
      pieces.push(await candleStore.load(id, symbol, interval, from, Math.min(toMs, from + step)));
    }
    return setOf(instrument, interval, pieces, now());
  }

  const silent: CandleService = {
    loadRange: (instrument, interval, fromMs, toMs) => load(instrument, interval, fromMs, toMs),
    loadLatest: (instrument, interval) => load(instrument, interval, 0, now()),
    ensureStored: async () => undefined,
  };
  return async ({ instrument, interval, fromMs, untilMs }, signal) => {
    const set = await load(instrument, interval, fromMs, untilMs + 1, signal);
    // The view asks for the series, and of weeks for the days that they are made of.
    const candles: CandleService = {
      ...silent,
      loadRange: async (of, asked, from, to) =>
        asked === interval ? set : silent.loadRange(of, asked, from, to),
    };
    const { steady } = createAdjusted({ ...options, candles });
    return (await steady.loadRange(instrument, interval, fromMs, untilMs + 1)).candles;
  };
}

function setOf(
  instrument: KnownInstrument,
  interval: Interval,
  pieces: readonly StoredCandles[],
  nowMs: number,
): CandleSet {
  const length = pieces.reduce((sum, { candles }) => sum + candles.time.length, 0);
  const adjusted = pieces.some(({ adjustedAt }) => adjustedAt !== null);
  const column = (parts: readonly (Float64Array | null)[]) => {
    const whole = new Float64Array(length).fill(Number.NaN);
    let from = 0;
    for (const [i, part] of parts.entries()) {
      if (part !== null) whole.set(part, from);
      from += pieces[i].candles.time.length;
    }
    return whole;
  };
  const bars = BAR_COLUMNS.map((name) => [name, column(pieces.map(({ candles }) => candles[name]))] as const);
  return {
    instrument,
    candles: {
      symbol: instrument.symbol,
      interval,
      ...(Object.fromEntries(bars) as Omit<Candles, "symbol" | "interval">),
    },
    adjustedAt: adjusted ? column(pieces.map(({ adjustedAt }) => adjustedAt)) : null,
    knownAtMs: null,
    source: pieces.at(-1)?.source ?? null,
    synthetic: instrument.synthetic,
    asOfMs: nowMs,
    stale: false,
    ageMs: null,
    trouble: null,
    note: null,
    adjustment: null,
  };
}
