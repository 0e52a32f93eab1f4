/** The latest price of a symbol and what is known of its session; null where the source does not say. */
export interface Quote {
  readonly symbol: string;
  readonly price: number;
  /** Time of the price, epoch ms. */
  readonly time: number;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly previousClose: number | null;
  readonly volume: number | null;
  readonly bid: number | null;
  readonly ask: number | null;
}

/** Difference of ask and bid in basis points of the middle between them; null unless both are known and do not cross. */
export function quotedSpreadBps({ bid, ask }: Pick<Quote, "bid" | "ask">): number | null {
  if (bid === null || ask === null || !(bid > 0) || ask < bid) return null;
  return (10_000 * (ask - bid)) / ((ask + bid) / 2);
}
