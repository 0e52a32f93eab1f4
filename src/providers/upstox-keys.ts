import { classifySymbol, type Instrument } from "../core/market/instrument.js";

/** The vendor's keys of instruments: an index by its name, a share by its ISIN, which changes with its face value. */
export const INSTRUMENT_KEYS: Readonly<Record<string, string>> = {
  "^NSEI": "NSE_INDEX|Nifty 50",
  "^NSEBANK": "NSE_INDEX|Nifty Bank",
  "^BSESN": "BSE_INDEX|SENSEX",
  "^INDIAVIX": "NSE_INDEX|India VIX",
  "AXISBANK.NS": "NSE_EQ|INE238A01034",
  "BHARTIARTL.NS": "NSE_EQ|INE397D01024",
  "HDFCBANK.NS": "NSE_EQ|INE040A01034",
  "HINDUNILVR.NS": "NSE_EQ|INE030A01027",
  "ICICIBANK.NS": "NSE_EQ|INE090A01021",
  "INFY.NS": "NSE_EQ|INE009A01021",
  "ITC.NS": "NSE_EQ|INE154A01025",
  "LT.NS": "NSE_EQ|INE018A01030",
  "MARUTI.NS": "NSE_EQ|INE585B01010",
  "NTPC.NS": "NSE_EQ|INE733E01010",
  "RELIANCE.NS": "NSE_EQ|INE002A01018",
  "SBIN.NS": "NSE_EQ|INE062A01020",
  "SUNPHARMA.NS": "NSE_EQ|INE044A01036",
  "TATASTEEL.NS": "NSE_EQ|INE081A01020",
  "TCS.NS": "NSE_EQ|INE467B01029",
  "TITAN.NS": "NSE_EQ|INE280A01028",
  "WIPRO.NS": "NSE_EQ|INE075A01022",
};

/** An index of volatility has none here. */
const WITHOUT_OPTIONS: ReadonlySet<string> = new Set(["NSE_INDEX|India VIX"]);

export interface KeyTable {
  /** Null where no key is known: the vendor has the instrument perhaps, but cannot be asked for it. */
  keyOf(instrument: Instrument): string | null;
  mayHaveOptions(instrument: Instrument): boolean;
  instruments(): readonly Instrument[];
}

/** The table above with configured keys, which come first. */
export function createKeyTable(configured: Readonly<Record<string, string>>): KeyTable {
  const keys = new Map(Object.entries({ ...INSTRUMENT_KEYS, ...configured }));
  const keyOf = ({ symbol }: Instrument) => keys.get(symbol) ?? null;
  return {
    keyOf,
    mayHaveOptions(instrument) {
      const key = keyOf(instrument);
      return key !== null && !WITHOUT_OPTIONS.has(key);
    },
    instruments: () => [...keys.keys()].map(classifySymbol).filter((instrument) => instrument !== null),
  };
}
