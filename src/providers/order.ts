import type { Instrument } from "../core/market/instrument.js";
import type { Config } from "../platform/config.js";
import type { Provider } from "./define.js";

/** Classes of instruments that may have an order of sources of their own. */
export const MARKET_CLASSES = ["equity", "crypto", "fx", "india"] as const;
export type MarketClass = (typeof MARKET_CLASSES)[number];

/** Names of sources by class, in the order in which they are asked; a class without a list takes the general order. */
export type Order = Readonly<Partial<Record<MarketClass, readonly string[]>>>;

/** Null for what has no class of its own: futures and metals. */
export function classOf({ assetClass, calendar }: Instrument): MarketClass | null {
  if (calendar === "XNSE") return "india";
  if (assetClass === "commodity") return null;
  return assetClass === "crypto" || assetClass === "fx" ? assetClass : "equity";
}

export function orderOf(config: Config): Order {
  const lists = {
    equity: config.MARKET_DATA_EQUITY,
    crypto: config.MARKET_DATA_CRYPTO,
    fx: config.MARKET_DATA_FX,
    india: config.MARKET_DATA_INDIA,
  };
  return Object.fromEntries(Object.entries(lists).filter(([, names]) => names !== undefined));
}

/** The sources that are asked about a class, in order. @param providers in the general order. */
export function inOrder(
  providers: readonly Provider[],
  order: Order,
  market: MarketClass | null,
): readonly Provider[] {
  const names = market === null ? undefined : order[market];
  if (names === undefined) return providers;
  return names.flatMap((name) => providers.filter((provider) => provider.name === name));
}
