import { ensure } from "../core/base/assert.js";
import { classifySymbol, type Instrument } from "../core/market/instrument.js";
import type { ProviderHealth } from "./guard.js";
import { classOf, type MarketClass } from "./order.js";
import { LEAST_FAILURES } from "./record.js";
import type { Sources } from "./sources.js";

/** A class of instruments whose every source fails. */
export interface Unserved {
  /** Null for what has no class of its own. */
  readonly market: MarketClass | null;
  /** Those of the instruments that were looked at; none where nothing of the class was. */
  readonly symbols: readonly string[];
  /** What its sources said last. */
  readonly reason: string;
}

/** Each stands for its class where nothing else of it is looked at. */
const SAMPLES = ["AAPL", "BTC-USD", "EURUSD=X", "RELIANCE.NS"].map((symbol) =>
  ensure(classifySymbol(symbol), symbol),
);

/** Whether the newest calls of a source all failed: several, or one for which it is not asked any more. */
export function isFailing({ failedInRow, asideUntil, asideReason }: ProviderHealth): boolean {
  const aside = asideUntil !== null && asideReason !== "budget";
  return failedInRow >= LEAST_FAILURES || (failedInRow > 0 && aside);
}

/** The classes among which are instruments that no source gives candles of, since all that carry them fail. */
export function findUnserved(sources: Sources, instruments: readonly Instrument[]): Unserved[] {
  const failing = new Map(
    sources
      .health()
      .filter(isFailing)
      .map(({ name, lastError }) => [name, `${name}: ${lastError}`]),
  );
  if (failing.size === 0) return [];
  const found = new Map<MarketClass | null, { symbols: string[]; reasons: Set<string> }>();
  const look = (instrument: Instrument, symbols: readonly string[]): void => {
    const carriers = sources.carriers(instrument, "candles");
    if (carriers.length === 0 || carriers.some(({ name }) => !failing.has(name))) return;
    const market = classOf(instrument);
    const known = found.get(market) ?? { symbols: [], reasons: new Set() };
    known.symbols.push(...symbols);
    for (const { name } of carriers) known.reasons.add(ensure(failing.get(name), name));
    found.set(market, known);
  };
  for (const instrument of instruments) look(instrument, [instrument.symbol]);
  const seen = new Set(instruments.map(classOf));
  for (const sample of SAMPLES.filter((each) => !seen.has(classOf(each)))) look(sample, []);
  return [...found].map(([market, { symbols, reasons }]) => {
    return { market, symbols, reason: [...reasons].join("; ") };
  });
}
