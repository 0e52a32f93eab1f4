import { createHash } from "node:crypto";
import { patternSnapshots, type ReadMarket, readMarket } from "../../core/backtest/pattern-snapshots.js";
import { strategySnapshots } from "../../core/backtest/strategy-snapshots.js";
import { ensure } from "../../core/base/assert.js";
import { BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import { DAY_MS } from "../../core/market/day.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf } from "../../core/market/session.js";
import type { Pattern } from "../../core/patterns/define.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import { lacksOf, type Strategy } from "../../core/strategies/define.js";
import type { Facts } from "../../core/strategies/facts.js";
import { STRATEGIES } from "../../core/strategies/index.js";
import { AppError } from "../../platform/errors.js";
import { createSyntheticProvider } from "../../providers/synthetic.js";
import type { BaselineData } from "./baseline-file.js";
import { generatedFacts } from "./generated-facts.js";
import type { SnapshotSource } from "./regression.js";

/** Generated markets: which symbols, at which interval, drawn from which seed. */
export interface GeneratedMarkets {
  readonly seed: number;
  readonly symbols: readonly string[];
  readonly interval: Interval;
}

/** Shares, an index, a currency and a coin, by the day. */
export const REGRESSION_MARKETS: GeneratedMarkets = Object.freeze({
  seed: 1,
  symbols: ["AAPL", "TSLA", "RELIANCE.NS", "^GSPC", "EURUSD=X", "BTC-USD"],
  interval: "1d",
});

/** Patterns that are so rare that the generated bars of two years have none: their baselines would be empty. */
const UNSEEN: ReadonlySet<string> = new Set([
  ...["breakaway", "climax", "concealing_baby_swallow", "kicking", "kicking_by_length", "mat_hold"],
  ...["rise_fall_three_methods", "three_stars_in_the_south", "tristar"],
]);

/** Markets that close trade a bar on more than half of the days. */
const DAYS_PER_BAR = 1.6;

/** Two shares by the quarter of an hour, for strategies that trade within the day: the last two months of a stretch. */
export const INTRADAY_MARKETS: GeneratedMarkets = Object.freeze({
  seed: 1,
  symbols: ["AAPL", "TSLA"],
  interval: "15m",
});

const INTRADAY_MS = 60 * DAY_MS;

/** The same by five minutes, for what rests on bars of half an hour made of them: the last eight months of a stretch. */
export const FINE_MARKETS: GeneratedMarkets = Object.freeze({ ...INTRADAY_MARKETS, interval: "5m" });

const FINE_MS = 240 * DAY_MS;

/** Generated candles of one stretch after the other; the newest are kept. */
function createDrawing(markets: GeneratedMarkets) {
  let drawn: { key: string; candles: Promise<readonly Candles[]> } | null = null;
  function candles(startMs: number, endMs: number): Promise<readonly Candles[]> {
    const key = `${startMs} ${endMs}`;
    if (drawn?.key !== key) drawn = { key, candles: drawCandles(markets, startMs, endMs) };
    return drawn.candles;
  }
  return {
    candles,
    async data(startMs: number, endMs: number): Promise<BaselineData> {
      const { seed, symbols, interval } = markets;
      const all = await candles(startMs, endMs);
      const bars = all.reduce((sum, { time }) => sum + time.length, 0);
      const name = `${bars} generated ${interval} bars of ${symbols.join(", ")}, seed ${seed}`;
      return { name, sha256: digestOf(all) };
    },
  };
}

/** Every pattern with a direction as a strategy `pattern:<name>`, over generated markets that are always the same. */
export function createPatternSource(markets: GeneratedMarkets = REGRESSION_MARKETS): SnapshotSource {
  const drawing = createDrawing(markets);
  const patterns = new Map<string, Pattern>(
    PATTERNS.filter(({ variants }) => variants.some(({ direction }) => direction !== 0)).map(
      (pattern) => [`pattern:${pattern.name}`, pattern] as const,
    ),
  );
  let read: { of: readonly Candles[]; markets: readonly ReadMarket[] } | null = null;

  async function marketsOf(startMs: number, endMs: number): Promise<readonly ReadMarket[]> {
    const of = await drawing.candles(startMs, endMs);
    if (read?.of !== of) read = { of, markets: of.map(readMarket) };
    return read.markets;
  }

  return {
    strategies: [...patterns.keys()],
    standard: [...patterns].flatMap(([id, { name }]) => (UNSEEN.has(name) ? [] : [id])),
    dataOf: (_id, startMs, endMs) => drawing.data(startMs, endMs),
    async snapshotsOf(strategyId, startMs, endMs) {
      const pattern = ensure(patterns.get(strategyId), `there is no strategy ${strategyId}`);
      const all = await marketsOf(startMs, endMs);
      return all.flatMap((market) => patternSnapshots(market, pattern, strategyId, startMs, endMs));
    },
  };
}

/** Every row of the strategy table by its id, with its own parameters, over generated days or parts of them, and generated facts where it reads any. */
export function createStrategySource(): SnapshotSource {
  const days = createDrawing(REGRESSION_MARKETS);
  const parts = createDrawing(INTRADAY_MARKETS);
  const fine = createDrawing(FINE_MARKETS);
  const rows = new Map(STRATEGIES.map((strategy) => [strategy.id, strategy]));
  const rowOf = (id: string) => ensure(rows.get(id), `there is no strategy ${id}`);
  const ids = [...rows.keys()];

  /** Where a strategy trades, and from when on. */
  function placeOf(strategy: Strategy, startMs: number, endMs: number) {
    if (strategy.id === "synergy") return { drawing: fine, fromMs: Math.max(startMs, endMs - FINE_MS) };
    return strategy.needs.includes("intraday")
      ? { drawing: parts, fromMs: Math.max(startMs, endMs - INTRADAY_MS) }
      : { drawing: days, fromMs: startMs };
  }

  return {
    strategies: ids,
    standard: ids,
    async dataOf(id, startMs, endMs) {
      const strategy = rowOf(id);
      const { drawing, fromMs } = placeOf(strategy, startMs, endMs);
      const { name, sha256 } = await drawing.data(fromMs, endMs);
      if (strategy.facts.length === 0) return { name, sha256 };
      const facts = (await drawing.candles(fromMs, endMs)).map((candles) => factsFor(strategy, candles));
      const whole = createHash("sha256").update(sha256).update(hashOfFacts(facts)).digest("hex");
      return { name: `${name}, with generated ${strategy.facts.join(", ")}`, sha256: whole };
    },
    async snapshotsOf(id, startMs, endMs) {
      const strategy = rowOf(id);
      const { drawing, fromMs } = placeOf(strategy, startMs, endMs);
      const series = await drawing.candles(fromMs, endMs);
      // Each symbol has an account of its own, unless the strategy chooses among them.
      const groups = strategy.scope === "universe" ? [series] : series.map((candles) => [candles]);
      const able = groups
        .map((group) => group.map((candles) => ({ candles, facts: factsFor(strategy, candles) })))
        .filter((group) => lacksOf(strategy, group).length === 0);
      return able.flatMap((group) => {
        const all = group.map(({ candles }) => candles);
        const terms = { calendar: hoursOf(all), facts: group.map(({ facts }) => facts) };
        return strategySnapshots(strategy, all, fromMs, endMs, terms);
      });
    },
  };
}

const factsFor = ({ facts }: Strategy, candles: Candles) =>
  generatedFacts(facts, candles, REGRESSION_MARKETS.seed);

/** Hours of symbols; null where they differ. */
function hoursOf(all: readonly Candles[]): Calendar | null {
  const ids = new Set(
    all.map(({ symbol }) => ensure(classifySymbol(symbol), `${symbol} is a symbol`).calendar),
  );
  const [id] = ids;
  return ids.size === 1 && id !== undefined ? calendarOf(id) : null;
}

/** SHA-256 of columns by name, little-endian. */
function hashOfFacts(facts: readonly Facts[]): string {
  const hash = createHash("sha256");
  for (const each of facts) {
    for (const [name, column] of Object.entries(each)) {
      hash.update(`${name}\n`).update(new Uint8Array(column.slice().buffer));
    }
  }
  return hash.digest("hex");
}

/** All strategies of the table, and all patterns. */
export function createRegressionSource(): SnapshotSource {
  const sources = [createStrategySource(), createPatternSource()];
  const sourceOf = (id: string) =>
    ensure(
      sources.find(({ strategies }) => strategies.includes(id)),
      `there is no strategy ${id}`,
    );
  return {
    strategies: sources.flatMap(({ strategies }) => strategies),
    standard: sources.flatMap(({ standard }) => standard),
    dataOf: (id, startMs, endMs) => sourceOf(id).dataOf(id, startMs, endMs),
    snapshotsOf: (id, startMs, endMs) => sourceOf(id).snapshotsOf(id, startMs, endMs),
  };
}

/** Bars of the stretch with those before it that its first signals rest on. */
async function drawCandles(
  { seed, symbols, interval }: GeneratedMarkets,
  startMs: number,
  endMs: number,
): Promise<Candles[]> {
  const provider = createSyntheticProvider(seed, () => endMs);
  const fromMs = startMs - LEAD_BARS * DAYS_PER_BAR * INTERVAL_MS[interval];
  const signal = new AbortController().signal;
  const all: Candles[] = [];
  for (const symbol of symbols) {
    const instrument = ensure(classifySymbol(symbol), `${symbol} is a symbol`);
    const { candles } = await provider.fetchCandles({ instrument, interval, fromMs, toMs: endMs }, signal);
    if (candles.time.length === 0) {
      throw new AppError("no_data", `the generated market of ${symbol} has no bars in that stretch`);
    }
    all.push(candles);
  }
  return all;
}

/** SHA-256 of all columns, little-endian as every platform of Node is, in the order of the symbols. */
function digestOf(all: readonly Candles[]): string {
  const hash = createHash("sha256");
  for (const candles of all) {
    hash.update(`${candles.symbol} ${candles.interval} ${candles.time.length}\n`);
    for (const column of BAR_COLUMNS) hash.update(new Uint8Array(candles[column].slice().buffer));
  }
  return hash.digest("hex");
}
