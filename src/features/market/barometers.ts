/** What tells how a market at large is doing, by the symbol of an instrument. */
export interface Barometer {
  readonly key: string;
  readonly name: string;
  readonly symbol: string;
}

export const VOLATILITY_INDEX: Barometer = { key: "vix", name: "VIX", symbol: "^VIX" };

/** Funds that follow the large US indices; the keys are those that existing clients read. */
export const INDEX_FUNDS: readonly Barometer[] = [
  { key: "s&p_500", name: "S&P 500", symbol: "SPY" },
  { key: "nasdaq", name: "Nasdaq 100", symbol: "QQQ" },
  { key: "dow_jones", name: "Dow Jones Industrial Average", symbol: "DIA" },
];

/** The indices themselves. */
export const INDICES: readonly Barometer[] = [
  { key: "dow", name: "Dow Jones Industrial Average", symbol: "^DJI" },
  { key: "nasdaq", name: "Nasdaq Composite", symbol: "^IXIC" },
  { key: "sp500", name: "S&P 500", symbol: "^GSPC" },
];

/** The Select Sector funds: the eleven sectors of the S&P 500. */
export const SECTOR_FUNDS: readonly Barometer[] = [
  { key: "materials", name: "Materials", symbol: "XLB" },
  { key: "communication_services", name: "Communication Services", symbol: "XLC" },
  { key: "energy", name: "Energy", symbol: "XLE" },
  { key: "financials", name: "Financials", symbol: "XLF" },
  { key: "industrials", name: "Industrials", symbol: "XLI" },
  { key: "technology", name: "Technology", symbol: "XLK" },
  { key: "consumer_staples", name: "Consumer Staples", symbol: "XLP" },
  { key: "real_estate", name: "Real Estate", symbol: "XLRE" },
  { key: "utilities", name: "Utilities", symbol: "XLU" },
  { key: "health_care", name: "Health Care", symbol: "XLV" },
  { key: "consumer_discretionary", name: "Consumer Discretionary", symbol: "XLY" },
];
