import { type OptionChain, selectRows } from "./chain.js";

/** Which strikes of a chain are worth looking at. Distances are fractions of the spot, inclusive. */
export interface FilterRules {
  /** Strikes farther away are dropped. */
  readonly within: number;
  /** Strikes this near are kept whatever their trade. */
  readonly alwaysWithin: number;
  /** Least open interest of call and put together, in the chain's unit. */
  readonly minOpenInterest: number;
  /** Least volume of call and put together. */
  readonly minVolume: number;
  /** Strikes this near need no volume. */
  readonly volumeWaivedWithin: number;
}

export const DEFAULT_FILTER_RULES: FilterRules = {
  within: 0.1,
  alwaysWithin: 0.02,
  minOpenInterest: 50,
  minVolume: 5,
  volumeWaivedWithin: 0.05,
};

export interface FilteredChain {
  readonly chain: OptionChain;
  /** Rows before and after. */
  readonly original: number;
  readonly filtered: number;
  /** Rows kept, by the rule that kept them. */
  readonly kept: { readonly nearMoney: number; readonly nearEnough: number; readonly traded: number };
  /** Rows dropped, by the first rule they failed. */
  readonly dropped: { readonly distance: number; readonly openInterest: number; readonly volume: number };
}

/** Distances are compared with this share of slack, so that 110 is within 0.1 of 100. */
const SLACK = 1 + 1e-12;

/**
 * The chain without strikes that are far away or hardly traded; unknown open interest and volume count as none.
 * Ratios and max pain are taken from the whole chain, never from this one. Null where the spot is unknown.
 */
export function filterChain(
  chain: OptionChain,
  rules: FilterRules = DEFAULT_FILTER_RULES,
): FilteredChain | null {
  const { spot, strike, call, put } = chain;
  if (Number.isNaN(spot)) return null;
  const rows: number[] = [];
  const kept = { nearMoney: 0, nearEnough: 0, traded: 0 };
  const dropped = { distance: 0, openInterest: 0, volume: 0 };
  for (let row = 0; row < strike.length; row++) {
    const distance = Math.abs(strike[row] - spot) / (spot * SLACK);
    if (distance <= rules.alwaysWithin) kept.nearMoney++;
    else if (distance > rules.within) dropped.distance++;
    else if (known(call.openInterest[row]) + known(put.openInterest[row]) < rules.minOpenInterest) {
      dropped.openInterest++;
    } else if (distance <= rules.volumeWaivedWithin) kept.nearEnough++;
    else if (known(call.volume[row]) + known(put.volume[row]) < rules.minVolume) dropped.volume++;
    else kept.traded++;
    if (kept.nearMoney + kept.nearEnough + kept.traded > rows.length) rows.push(row);
  }
  return { chain: selectRows(chain, rows), original: strike.length, filtered: rows.length, kept, dropped };
}

function known(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
