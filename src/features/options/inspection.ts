import type { OptionQuote } from "../../core/market/option-quote.js";
import type { CollectedChain, Legs } from "../../core/options/chain.js";
import type { Issue } from "../../core/quality/issue.js";
import type { ChainState, MarketState } from "../../core/quality/state.js";
import type { Underlying } from "./underlyings.js";

/**
 * Looks at a chain that a source gave, before it is used, and keeps what is found.
 * @param issues what was found in its prices already.
 */
export type InspectChain = (
  state: MarketState,
  underlying: Underlying,
  source: string,
  issues: readonly Issue[],
) => Promise<void>;

/** Keeps what was found in a chain that somebody loaded. */
export type TellIssues = (issues: readonly Issue[], source: string) => Promise<void>;

/** A chain as the quality monitor looks at it: what the source offered, and what could stand of it. */
export function marketState(
  { chain, rejected }: CollectedChain,
  offered: readonly OptionQuote[],
): MarketState {
  return {
    symbol: chain.underlying,
    price: Number.isNaN(chain.spot) ? null : chain.spot,
    time: chain.time,
    bid: null,
    ask: null,
    expectsChain: true,
    chain: {
      calls: countLegs(chain.call),
      puts: countLegs(chain.put),
      callOpenInterest: openInterest(chain.call),
      putOpenInterest: openInterest(chain.put),
      negative: rejected.filter(({ quote }) => (quote.openInterest ?? 0) < 0).length,
      ...strikes(offered, chain),
    },
  };
}

function strikes(
  offered: readonly OptionQuote[],
  { expiry, strike }: CollectedChain["chain"],
): Pick<ChainState, "originalStrikes" | "filteredStrikes"> {
  const kept = new Set(Array.from(strike, (price, row) => `${expiry[row]} ${price}`)).size;
  const original = new Set(offered.map((quote) => `${quote.expiry} ${quote.strike}`)).size;
  return { originalStrikes: original, filteredStrikes: kept };
}

/** Rows in which the side says anything. */
function countLegs(side: Legs): number {
  const columns = Object.values(side);
  let legs = 0;
  for (let row = 0; row < side.last.length; row++) {
    if (columns.some((column) => !Number.isNaN(column[row]))) legs++;
  }
  return legs;
}

/** Sum of the known ones; null where none is. */
function openInterest({ openInterest: column }: Legs): number | null {
  const known = column.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
