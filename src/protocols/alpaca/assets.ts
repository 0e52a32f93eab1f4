import type { Traded } from "../../core/execution/instrument.js";
import type { Instrument } from "../../core/market/instrument.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import { findInstrument, idOf, joinedSymbol, type Market, marketOf, UUID, wireSymbol } from "./symbols.js";

/** What the trading of an instrument obeys; null where it is not traded. */
export type TermsOf = (instrument: Instrument) => Traded | null;

export interface AssetFilter {
  readonly market: Market;
  readonly exchange: string | undefined;
}

export interface Assets {
  /** By class, exchange and symbol. */
  list(filter: AssetFilter): Promise<Asset[]>;
  /** The asset that an id or a symbol in any spelling names; null where there is none. */
  find(symbolOrId: string): Promise<Asset | null>;
}

export type Asset = ReturnType<typeof assetView>;

export function createAssets(options: {
  readonly instruments: Pick<Instruments, "identify" | "resolve" | "list">;
  readonly termsOf: TermsOf;
}): Assets {
  const { instruments, termsOf } = options;

  async function all(): Promise<Asset[]> {
    return (await instruments.list()).flatMap((instrument) => {
      const market = marketOf(instrument);
      return market === null ? [] : [assetView(instrument, market, termsOf(instrument))];
    });
  }

  return {
    async list({ market, exchange }) {
      const found = (await all()).filter(
        (asset) => asset.class === market && (exchange === undefined || asset.exchange === exchange),
      );
      const keyOf = (asset: Asset) => `${asset.exchange} ${asset.symbol}`;
      return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
    async find(text) {
      if (UUID.test(text)) return (await all()).find(({ id }) => id === text.toLowerCase()) ?? null;
      for (const market of ["us_equity", "crypto"] as const) {
        const instrument = await findInstrument(instruments, market, text);
        if (instrument !== null) return assetView(instrument, market, termsOf(instrument));
      }
      return null;
    },
  };
}

/** Exchanges that the dialect has a word for; of others it says nothing. */
const EXCHANGES: ReadonlySet<string> = new Set([
  "AMEX",
  "ARCA",
  "BATS",
  "NYSE",
  "NASDAQ",
  "NYSEARCA",
  "OTC",
  "CRYPTO",
]);

function assetView(instrument: Instrument, market: Market, terms: Traded | null) {
  const { symbol, name, exchange } = instrument;
  const shortable = terms?.shortable ?? false;
  const isShare = market === "us_equity";
  const steps = terms === null || isShare ? {} : coinSteps(terms);
  return {
    id: idOf(symbol),
    class: market,
    exchange: exchangeWire(exchange),
    symbol: wireSymbol(instrument),
    name: name === symbol ? joinedSymbol(instrument) : name,
    status: "active" as const,
    tradable: terms !== null,
    marginable: terms?.marginable ?? false,
    shortable,
    easy_to_borrow: shortable,
    ...(isShare && shortable ? { borrow_status: "easy_to_borrow" as const } : {}),
    fractionable: terms !== null && terms.fractions !== "none",
    attributes: [],
    ...steps,
  };
}

/** How small an order may be depends on its price, and is said by nothing but its cost basis. */
function coinSteps({ lot, tick }: Traded) {
  return {
    min_trade_increment: plainDecimal(lot),
    price_increment: plainDecimal(tick),
  };
}

/** A step such as 1e-9 without an exponent. */
function plainDecimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, "");
}

/** An exchange that the dialect has a word for, or no word. */
export const exchangeWire = (exchange: string): string => (EXCHANGES.has(exchange) ? exchange : "");
