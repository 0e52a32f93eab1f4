import type { Candles } from "../../core/market/candles.js";
import { type Quote, quotedSpreadBps } from "../../core/market/quote.js";

/** What a trade at the market costs beside commissions, in basis points of the price. */
export interface SpreadEstimate {
  readonly spreadBps: number | null;
  /** `quote`: the difference of bid and ask; `bars`: a quarter of the mean range of the last minutes. */
  readonly spreadFrom: "quote" | "bars" | null;
  readonly slippageBps: number | null;
}

const LEAST_MINUTES = 20;
const LEAST_SLIPPAGE_BPS = 0.5;

/**
 * Spread from the quote where it has both sides, else from minute bars, of whose range the spread is some part. Slippage
 * is half the spread and a tenth of the deviation of minute returns. Null where nothing tells.
 */
export function spreadOf(quote: Pick<Quote, "bid" | "ask">, minutes: Candles | null): SpreadEstimate {
  const bars = minutes === null || minutes.time.length < LEAST_MINUTES ? null : minutes;
  const quoted = quotedSpreadBps(quote);
  const spreadBps = quoted ?? (bars === null ? null : 0.25 * meanRangeBps(bars));
  if (spreadBps === null) return { spreadBps: null, spreadFrom: null, slippageBps: null };
  const deviation = bars === null ? 0 : returnDeviationBps(bars);
  return {
    spreadBps,
    spreadFrom: quoted === null ? "bars" : "quote",
    slippageBps: Math.max(LEAST_SLIPPAGE_BPS, 0.5 * spreadBps + 0.1 * deviation),
  };
}

function meanRangeBps({ high, low, close }: Candles): number {
  let sum = 0;
  for (let i = 0; i < close.length; i++) sum += (high[i] - low[i]) / close[i];
  return (10_000 * sum) / close.length;
}

function returnDeviationBps({ close }: Candles): number {
  const count = close.length - 1;
  let sum = 0;
  let squares = 0;
  for (let i = 1; i <= count; i++) {
    const change = Math.log(close[i] / close[i - 1]);
    sum += change;
    squares += change * change;
  }
  return 10_000 * Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
