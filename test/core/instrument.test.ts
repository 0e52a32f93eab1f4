import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifySymbol, normaliseSymbol } from "../../src/core/market/instrument.js";

describe("spelling", () => {
  it.each([
    ["BTC-USD", ["BTC", "btcusd", "BTC/USD", "BTC-USD", "X:BTCUSD", "Bitcoin", " btc ", "COINBASE:BTCUSD"]],
    ["ETH-USD", ["ETH", "ETHUSD", "ETH/USD", "X:ETHUSD", "ETHEREUM", "CRYPTO:ETHUSD"]],
    ["SOL-USD", ["SOL", "SOLUSD", "sol/usd", "SOLANA"]],
    ["ADA-USD", ["ADA", "ADAUSD", "ADA/USD", "cardano"]],
    ["DOGE-USD", ["DOGE", "DOGEUSD", "dogecoin"]],
    ["BTC-USDT", ["BTCUSDT", "BTC/USDT", "BINANCE:BTCUSDT"]],
    ["ETH-BTC", ["ETHBTC", "ETH/BTC", "ETH-BTC"]],
    ["BTC-EUR", ["BTCEUR", "BTC/EUR"]],
    // Tickers alone, coins in a pair.
    ["LTC-USD", ["LTCUSD", "LTC/USD", "litecoin"]],
    ["LTC", ["LTC", "ltc"]],
    ["LINK-USD", ["LINKUSD", "X:LINKUSD"]],
    ["LINK", ["LINK"]],
    ["WIF-USD", ["WIF/USD", "WIF-USD", "X:WIFUSD"]],
    ["EURUSD=X", ["EUR/USD", "EURUSD", "FX:EURUSD", "C:EURUSD", "eurusd=x", "EUR-USD", "OANDA:EURUSD"]],
    ["USDJPY=X", ["USD/JPY", "USDJPY", "JPY=X", "FX:USDJPY"]],
    ["USDINR=X", ["USDINR", "INR=X"]],
    ["XAUUSD=X", ["XAUUSD", "XAU/USD", "FX:XAUUSD"]],
    ["AAPL", ["aapl", " AAPL ", "NASDAQ:AAPL"]],
    ["BRK.B", ["brk.b", "NYSE:BRK.B"]],
    ["BRK-B", ["BRK-B"]],
    ["TCS.NS", ["NSE:TCS", "tcs.ns"]],
    ["RELIANCE.BO", ["BSE:RELIANCE"]],
    ["^GSPC", ["^gspc", "SPX", "spx"]],
    ["^VIX", ["vix", "^VIX"]],
    ["GC=F", ["gc=f"]],
  ])("%s from %j", (symbol, spellings) => {
    expect(spellings.map(normaliseSymbol)).toEqual(spellings.map(() => symbol));
  });

  it.each([
    ["nothing", ["", " ", "\n"]],
    ["paths", ["../etc/passwd", "..", "A..B", "/etc", "C:\\x", "A/B", "a\\b", ".hidden", "A.", "-A", "=X"]],
    ["other characters", ["M&M.NS", "AA PL", "A,B", "A;B", "A'", '"A"', "A%00", "A\0", "A?B", "<b>", "A:B"]],
    ["letters that only become ASCII", ["ı", "ſpy", "AAPLé", "ＡＡＰＬ"]],
    ["what is too long", ["A".repeat(41), `${"A".repeat(60)}`]],
    ["pairs that are none", ["FX:AAPL", "X:AAPL", "X:EURUSD", "C:USDUSD", "USD/USD"]],
  ])("refuses %s", (_, texts) => {
    expect(texts.map(normaliseSymbol)).toEqual(texts.map(() => null));
  });

  it("accepts 40 characters", () => {
    expect(normaliseSymbol("a".repeat(40))).toBe("A".repeat(40));
  });

  it("is done once, gives only permitted characters and never a path", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ unit: fc.constantFrom(...":/-.=^_XUSDBTCEURINR19abc "), maxLength: 14 }),
    );
    fc.assert(
      fc.property(text, (spelling) => {
        const symbol = normaliseSymbol(spelling);
        if (symbol === null) return;
        expect(symbol).toMatch(/^[A-Z0-9.\-=^_]{1,40}$/);
        expect(symbol).not.toMatch(/^\.|\.\.|\.$/);
        expect(normaliseSymbol(symbol)).toBe(symbol);
        expect(classifySymbol(symbol)?.symbol ?? symbol).toBe(symbol);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("what the spelling tells", () => {
  it.each([
    ["AAPL", "Apple", "equity", "NASDAQ", "USD", "XNYS"],
    ["SPY", "SPDR S&P 500", "etf", "ARCA", "USD", "XNYS"],
    ["XLRE", "Real Estate Select Sector SPDR", "etf", "ARCA", "USD", "XNYS"],
    ["IBM", "IBM", "equity", "US", "USD", "XNYS"],
    ["BRK.B", "BRK.B", "equity", "US", "USD", "XNYS"],
    ["BRK-B", "BRK-B", "equity", "US", "USD", "XNYS"],
    ["TCS.NS", "TCS.NS", "equity", "NSE", "INR", "XNSE"],
    ["TCS.BO", "TCS.BO", "equity", "BSE", "INR", "XNSE"],
    ["^GSPC", "S&P 500", "index", "INDEX", "USD", "XNYS"],
    ["^VIX", "CBOE Volatility Index", "index", "CBOE", "USD", "XNYS"],
    ["^NSEI", "Nifty 50", "index", "NSE", "INR", "XNSE"],
    ["^NSEBANK", "Nifty Bank", "index", "NSE", "INR", "XNSE"],
    ["^CNXIT", "^CNXIT", "index", "NSE", "INR", "XNSE"],
    ["BTC-USD", "Bitcoin", "crypto", "CRYPTO", "USD", "24x7"],
    ["WIF-USDT", "WIF-USDT", "crypto", "CRYPTO", "USDT", "24x7"],
    ["EURUSD=X", "EUR/USD", "fx", "FX", "USD", "FX"],
    ["USDINR=X", "USD/INR", "fx", "FX", "INR", "FX"],
    ["XAUUSD=X", "Gold/USD", "commodity", "FX", "USD", "FX"],
    ["GC=F", "GC=F", "commodity", "FUTURES", "USD", "FX"],
  ])("%s", (symbol, name, assetClass, exchange, currency, calendar) => {
    expect(classifySymbol(symbol)).toEqual({ symbol, name, assetClass, exchange, currency, calendar });
  });

  it("is nothing where the exchange has no calendar here", () => {
    for (const symbol of ["VOD.L", "7203.T", "BMW.DE", "RY.TO", "BTCUSD=X", "ABC=X"]) {
      expect(classifySymbol(symbol)).toBeNull();
    }
  });

  it("names the default universe", () => {
    const universe =
      "AAPL GOOGL MSFT AMZN TSLA NVDA META NFLX BTC-USD ETH-USD SPY QQQ DIA IWM ^VIX ^GSPC ^NSEI";
    for (const symbol of universe.split(" ")) {
      expect(normaliseSymbol(symbol)).toBe(symbol);
      expect(classifySymbol(symbol)?.name).not.toBe(symbol);
    }
  });
});
