export type AssetClass = "equity" | "etf" | "index" | "crypto" | "fx" | "commodity";

/**
 * Coins whose bare code means the coin. Codes that US tickers also bear (LTC, LINK, UNI) are not among them.
 */
export const COINS: ReadonlySet<string> = wordSet(
  "BTC ETH SOL ADA XRP DOGE BNB AVAX SHIB USDT USDC DOT XMR MATIC",
);

/** Coins recognised in a pair with a currency only: LTCUSD, LINK/USD. */
export const PAIRED_COINS: ReadonlySet<string> = wordSet(`
  AAVE ALGO APT ARB ATOM BCH CRO DAI ETC FIL FTM GRT HBAR ICP INJ LDO LINK LTC MANA MKR NEAR OP PEPE POL QNT
  RNDR SAND STX SUI TIA TON TRX UNI VET XLM XTZ
`);

/** What coins are quoted in, longer codes before those they end with. */
export const COIN_QUOTES: readonly string[] = [
  "USDT",
  "USDC",
  "USD",
  "EUR",
  "GBP",
  "JPY",
  "INR",
  "BTC",
  "ETH",
];

export const COIN_NAMES: Readonly<Record<string, string>> = {
  BITCOIN: "BTC",
  ETHEREUM: "ETH",
  SOLANA: "SOL",
  CARDANO: "ADA",
  RIPPLE: "XRP",
  DOGECOIN: "DOGE",
  LITECOIN: "LTC",
  AVALANCHE: "AVAX",
  POLKADOT: "DOT",
};

/** ISO 4217 codes of the traded currencies. */
export const CURRENCIES: ReadonlySet<string> = wordSet(`
  USD EUR JPY GBP AUD CAD CHF NZD CNY CNH HKD SGD INR KRW SEK NOK DKK PLN CZK HUF TRY ZAR MXN BRL THB ILS
  IDR TWD
`);

export const METALS: Readonly<Record<string, string>> = {
  XAU: "Gold",
  XAG: "Silver",
  XPT: "Platinum",
  XPD: "Palladium",
};

export type NamedInstrument = readonly [
  symbol: string,
  name: string,
  exchange: string,
  assetClass: AssetClass,
];

/** Names of indices that nobody means a share by, and their symbols. */
export const INDEX_NAMES: Readonly<Record<string, string>> = {
  VIX: "^VIX",
  SPX: "^GSPC",
  NDX: "^NDX",
  DJI: "^DJI",
  RUT: "^RUT",
  INDIAVIX: "^INDIAVIX",
};

/** Indices of volatility: nobody trades them. */
export const VOLATILITY_INDICES: ReadonlySet<string> = new Set(["^VIX", "^INDIAVIX"]);

/** Instruments of the default universe whose name and exchange the spelling does not tell. */
export const NAMED_INSTRUMENTS: readonly NamedInstrument[] = [
  ["AAPL", "Apple", "NASDAQ", "equity"],
  ["GOOGL", "Alphabet A", "NASDAQ", "equity"],
  ["MSFT", "Microsoft", "NASDAQ", "equity"],
  ["AMZN", "Amazon", "NASDAQ", "equity"],
  ["TSLA", "Tesla", "NASDAQ", "equity"],
  ["NVDA", "NVIDIA", "NASDAQ", "equity"],
  ["META", "Meta Platforms", "NASDAQ", "equity"],
  ["NFLX", "Netflix", "NASDAQ", "equity"],
  ["SPY", "SPDR S&P 500", "ARCA", "etf"],
  ["QQQ", "Invesco QQQ", "NASDAQ", "etf"],
  ["DIA", "SPDR Dow Jones Industrial Average", "ARCA", "etf"],
  ["IWM", "iShares Russell 2000", "ARCA", "etf"],
  ["XLB", "Materials Select Sector SPDR", "ARCA", "etf"],
  ["XLC", "Communication Services Select Sector SPDR", "ARCA", "etf"],
  ["XLE", "Energy Select Sector SPDR", "ARCA", "etf"],
  ["XLF", "Financial Select Sector SPDR", "ARCA", "etf"],
  ["XLI", "Industrial Select Sector SPDR", "ARCA", "etf"],
  ["XLK", "Technology Select Sector SPDR", "ARCA", "etf"],
  ["XLP", "Consumer Staples Select Sector SPDR", "ARCA", "etf"],
  ["XLRE", "Real Estate Select Sector SPDR", "ARCA", "etf"],
  ["XLU", "Utilities Select Sector SPDR", "ARCA", "etf"],
  ["XLV", "Health Care Select Sector SPDR", "ARCA", "etf"],
  ["XLY", "Consumer Discretionary Select Sector SPDR", "ARCA", "etf"],
  ["BTC-USD", "Bitcoin", "CRYPTO", "crypto"],
  ["ETH-USD", "Ether", "CRYPTO", "crypto"],
  ["SOL-USD", "Solana", "CRYPTO", "crypto"],
  ["ADA-USD", "Cardano", "CRYPTO", "crypto"],
  ["^GSPC", "S&P 500", "INDEX", "index"],
  ["^DJI", "Dow Jones Industrial Average", "INDEX", "index"],
  ["^IXIC", "Nasdaq Composite", "INDEX", "index"],
  ["^RUT", "Russell 2000", "INDEX", "index"],
  ["^VIX", "CBOE Volatility Index", "CBOE", "index"],
  ["^NSEI", "Nifty 50", "NSE", "index"],
  ["^NSEBANK", "Nifty Bank", "NSE", "index"],
  ["^BSESN", "BSE Sensex", "BSE", "index"],
];

function wordSet(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
