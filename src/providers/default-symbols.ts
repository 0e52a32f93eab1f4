/** What is scanned when neither the configuration nor the source names symbols. */
export const DEFAULT_SYMBOLS: readonly string[] = [
  "AAPL",
  "GOOGL",
  "MSFT",
  "AMZN",
  "TSLA",
  "NVDA",
  "META",
  "NFLX",
  "BTC-USD",
  "ETH-USD",
];
