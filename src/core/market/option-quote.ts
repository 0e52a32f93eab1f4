export const LEG_COLUMNS = [
  "last",
  "bid",
  "ask",
  "volume",
  "openInterest",
  "previousOpenInterest",
  "volatility",
  "delta",
  "gamma",
  "theta",
  "vega",
] as const;
export type LegColumn = (typeof LEG_COLUMNS)[number];

export type Right = "call" | "put";

/**
 * One leg of a chain as a source sends it; what it does not send is absent, null or NaN. Units as in `Legs` of
 * core/options.
 */
export interface OptionQuote extends Readonly<Partial<Record<LegColumn, number | null>>> {
  /** Days since 1970-01-01. */
  readonly expiry: number;
  readonly strike: number;
  readonly right: Right;
}

/** What a source says of the options on one underlying at one time, legs in any order. */
export interface ChainQuotes {
  readonly underlying: string;
  /** When it was so, epoch ms. */
  readonly time: number;
  /** Price of the underlying; NaN where the source gave none. */
  readonly spot: number;
  readonly quotes: readonly OptionQuote[];
}
