import { createHash } from "node:crypto";
import { patternSnapshots, type ReadMarket, readMarket } from "../../core/backtest/pattern-snapshots.js";
import { ensure } from "../../core/base/assert.js";
import { BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import type { Pattern } from "../../core/patterns/define.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import { AppError } from "../../platform/errors.js";
import { createSyntheticProvider } from "../../providers/synthetic.js";
import type { BaselineData } from "./baseline-file.js";
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

/** Patterns of every family that are seen often, though not at every other bar. */
const STANDARD = [
  ...["engulfing", "hammer", "harami", "three_outside"],
  ...["double_top", "double_bottom", "falling_wedge", "head_and_shoulders"],
  ...["rsi_oversold", "sma_20_50_cross", "bollinger_squeeze"],
  ...["level_break", "volume_divergence"],
];

/** Markets that close trade a bar on more than half of the days. */
const DAYS_PER_BAR = 1.6;

/** Every pattern with a direction as a strategy `pattern:<name>`, over generated markets that are always the same. */
export function createPatternSource(markets: GeneratedMarkets = REGRESSION_MARKETS): SnapshotSource {
  const { seed, symbols, interval } = markets;
  const patterns = new Map<string, Pattern>(
    PATTERNS.filter(({ variants }) => variants.some(({ direction }) => direction !== 0)).map(
      (pattern) => [`pattern:${pattern.name}`, pattern] as const,
    ),
  );
  let read: { key: string; markets: Promise<readonly ReadMarket[]> } | null = null;

  function marketsOf(startMs: number, endMs: number): Promise<readonly ReadMarket[]> {
    const key = `${startMs} ${endMs}`;
    if (read?.key === key) return read.markets;
    const made = drawCandles(markets, startMs, endMs).then((all) => all.map(readMarket));
    read = { key, markets: made };
    return made;
  }

  return {
    strategies: [...patterns.keys()],
    standard: STANDARD.map((name) => `pattern:${name}`),
    async dataOf(startMs, endMs): Promise<BaselineData> {
      const all = (await marketsOf(startMs, endMs)).map(({ series }) => series.candles);
      const bars = all.reduce((sum, { time }) => sum + time.length, 0);
      const name = `${bars} generated ${interval} bars of ${symbols.join(", ")}, seed ${seed}`;
      return { name, sha256: digestOf(all) };
    },
    async snapshotsOf(strategyId, startMs, endMs) {
      const pattern = ensure(patterns.get(strategyId), `there is no strategy ${strategyId}`);
      const all = await marketsOf(startMs, endMs);
      return all.flatMap((market) => patternSnapshots(market, pattern, strategyId, startMs, endMs));
    },
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
