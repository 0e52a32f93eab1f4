import { z } from "zod";
import { type Cache, jsonKind } from "../../platform/cache.js";
import { AppError } from "../../platform/errors.js";
import { freshnessOf } from "../candles/freshness.js";
import type { Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import { type Barometer, INDEX_FUNDS, INDICES, SECTOR_FUNDS, VOLATILITY_INDEX } from "./barometers.js";
import { type Judgement, judge, type Reading } from "./conditions.js";

/** The price of a barometer and how fresh it is, or why there is none. */
export type Figure = Barometer &
  (
    | { readonly price: FigurePrice; readonly reason: null }
    | { readonly price: null; readonly reason: string }
  );

export interface FigurePrice {
  readonly price: number;
  /** Against the close before; null without one. */
  readonly change: number | null;
  readonly changePercent: number | null;
  readonly source: string;
  readonly synthetic: boolean;
  /** Epoch ms. */
  readonly time: number;
  readonly stale: boolean;
  readonly ageMs: number;
}

/** How many of the scanned symbols rise and fall since the close before. */
export interface Breadth {
  readonly advancing: number;
  readonly declining: number;
  readonly unchanged: number;
  /** Symbols without a price or without a close before. */
  readonly unavailable: number;
  /** Of those with a change, the share that rises, 0..1; null with why where there is none. */
  readonly share: number | null;
  readonly reason: string | null;
  readonly sources: readonly string[];
  readonly synthetic: boolean;
  /** Time of the oldest price, epoch ms; null without any. */
  readonly oldest: number | null;
  readonly stale: boolean;
}

export interface Indicators {
  readonly vix: Figure;
  readonly funds: readonly Figure[];
  readonly breadth: Breadth;
  readonly judgement: Judgement;
}

export interface Sectors {
  /** The strongest first; those without a change last. */
  readonly ranked: readonly Figure[];
  readonly leader: Figure | null;
  readonly laggard: Figure | null;
}

/** How the market at large is doing. What no source has is null and says why; nothing here fails for lack of data. */
export interface Overview {
  /** At most five minutes old. */
  loadIndicators(): Promise<Indicators>;
  /** The same, at most a minute old. */
  loadConditions(): Promise<Indicators>;
  /** At most a minute old. */
  loadIndices(): Promise<readonly Figure[]>;
  loadSectors(): Promise<Sectors>;
}

const INDICATORS_TTL_MS = 300_000;
const TTL_MS = 60_000;
const AT_A_TIME = 8;

const cachedSchema = z.object({
  price: z.number(),
  change: z.number().nullable(),
  changePercent: z.number().nullable(),
  source: z.string(),
  synthetic: z.boolean(),
  time: z.number(),
});
const FIGURE_KIND = jsonKind("barometer1", cachedSchema);

export function createOverview(options: {
  instruments: Instruments;
  quotes: Quotes;
  cache: Cache;
  gateway: { readonly synthetic: boolean };
  /** Symbols that are scanned now. */
  universe: () => readonly string[];
  now: () => number;
}): Overview {
  const { instruments, quotes, cache, gateway, universe, now } = options;

  /** @param ttlMs how old it may be. What fails is not remembered. */
  async function loadFigure(barometer: Barometer, ttlMs: number): Promise<Figure> {
    if (gateway.synthetic && barometer.symbol === VOLATILITY_INDEX.symbol) {
      return { ...barometer, price: null, reason: "The synthetic market has no volatility index" };
    }
    try {
      const instrument = await instruments.resolve(barometer.symbol);
      const cached = await cache.remember(FIGURE_KIND, `${instrument.id}:${ttlMs}`, ttlMs, async () => {
        const { price, change, changePercent, source, synthetic, time } = await quotes.load(instrument);
        return { price, change, changePercent, source, synthetic, time };
      });
      const fresh = freshnessOf(instrument.calendar, cached.time, now());
      return { ...barometer, price: { ...cached, ...fresh }, reason: null };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return { ...barometer, price: null, reason: error.message };
    }
  }

  /** In the order of the barometers, a few at a time. */
  async function loadAll(barometers: readonly Barometer[], ttlMs: number): Promise<Figure[]> {
    const found = new Array<Figure>(barometers.length);
    let next = 0;
    const work = async () => {
      for (let i = next++; i < barometers.length; i = next++)
        found[i] = await loadFigure(barometers[i], ttlMs);
    };
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, barometers.length) }, work));
    return found;
  }

  async function load(ttlMs: number): Promise<Indicators> {
    const scanned = universe().map((symbol) => ({ key: symbol, name: symbol, symbol }));
    const [vix, ...funds] = await loadAll([VOLATILITY_INDEX, ...INDEX_FUNDS], ttlMs);
    const breadth = breadthOf(await loadAll(scanned, ttlMs));
    return { vix, funds, breadth, judgement: judge(readingsOf(vix, funds, breadth)) };
  }

  return {
    loadIndicators: () => load(INDICATORS_TTL_MS),
    loadConditions: () => load(TTL_MS),
    loadIndices: () => loadAll(INDICES, TTL_MS),
    async loadSectors() {
      const figures = await loadAll(SECTOR_FUNDS, TTL_MS);
      const size = ({ price }: Figure) => price?.changePercent ?? Number.NEGATIVE_INFINITY;
      const ranked = figures.sort((a, b) => size(b) - size(a) || (a.symbol < b.symbol ? -1 : 1));
      const known = ranked.filter(({ price }) => price !== null && price.changePercent !== null);
      return { ranked, leader: known[0] ?? null, laggard: known.at(-1) ?? null };
    },
  };
}

function readingsOf(vix: Figure, funds: readonly Figure[], breadth: Breadth): Reading[] {
  const readings: Reading[] = [];
  if (vix.price !== null) {
    const { price, stale } = vix.price;
    readings.push({ name: vix.name, kind: "volatility index", value: price, stale });
  }
  for (const { name, price } of funds) {
    if (price?.changePercent == null) continue;
    readings.push({ name, kind: "index change", value: price.changePercent, stale: price.stale });
  }
  if (breadth.share !== null) {
    readings.push({ name: "Breadth", kind: "breadth", value: breadth.share, stale: breadth.stale });
  }
  return readings;
}

function breadthOf(figures: readonly Figure[]): Breadth {
  const prices = figures.flatMap(({ price }) => (price?.changePercent == null ? [] : [price]));
  const count = (test: (change: number) => boolean) =>
    prices.filter(({ changePercent }) => changePercent !== null && test(changePercent)).length;
  const advancing = count((change) => change > 0);
  const missing = figures.find(({ price }) => price === null)?.reason ?? "no symbol has a close before";
  return {
    advancing,
    declining: count((change) => change < 0),
    unchanged: count((change) => change === 0),
    unavailable: figures.length - prices.length,
    share: prices.length === 0 ? null : advancing / prices.length,
    reason: prices.length > 0 ? null : figures.length === 0 ? "no symbols are scanned" : missing,
    sources: [...new Set(prices.map(({ source }) => source))].sort(),
    synthetic: prices.some(({ synthetic }) => synthetic),
    oldest: prices.length === 0 ? null : prices.reduce((least, { time }) => Math.min(least, time), Infinity),
    stale: prices.some(({ stale }) => stale),
  };
}
