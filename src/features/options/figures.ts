import type { Right } from "../../core/market/option-quote.js";
import { type ExpiryRows, midPrice, type OptionChain, rowsOfExpiry } from "../../core/options/chain.js";
import { yearsTo } from "../../core/options/expiries.js";
import { maxPain } from "../../core/options/max-pain.js";
import { type Measure, measured, unmeasured } from "../../core/options/measure.js";
import {
  openInterestChange,
  openInterestWalls,
  type PutCallRatio,
  putCallRatios,
  type Totals,
  totalChange,
  totals,
  untold,
  type Walls,
} from "../../core/options/open-interest.js";
import { riskReversal, volatilityRatio } from "../../core/options/skew.js";
import {
  atTheMoneyVolatility,
  constantMaturityVolatility,
  impliedDividendYield,
  type PriceSource,
  type Smile,
  smileOf,
} from "../../core/options/smile.js";
import { type CutOff, cutOffOf, type Underlying } from "./underlyings.js";

/** What pricing takes for granted, where a caller or the configuration says so. */
export interface Assumptions {
  /** Interest a year, continuously compounded. */
  readonly rate: number;
  readonly rateFrom: "request" | "configuration" | "none configured";
  /** Undefined lets put-call parity tell it. */
  readonly dividendYield?: number | undefined;
  /** Undefined takes the middle of bid and ask where any leg of an expiry has one, last trades elsewhere. */
  readonly price?: PriceSource | undefined;
}

/** What the options of one expiry are priced with. */
export interface Pricing {
  readonly cutOff: CutOff;
  readonly years: number;
  readonly rate: number;
  readonly rateFrom: Assumptions["rateFrom"];
  readonly dividendYield: number;
  readonly dividendYieldFrom: "request" | "put-call parity" | "none";
  /** Why put-call parity does not tell it; null where it does or was not asked. */
  readonly dividendYieldReason: string | null;
  readonly price: PriceSource;
}

export interface ExpiryFigures {
  readonly expiry: number;
  readonly strikes: number;
  readonly pricing: Pricing;
  readonly totals: Totals;
  readonly ratio: PutCallRatio;
  readonly maxPain: Measure;
  readonly change: { readonly call: Measure; readonly put: Measure; readonly unknown: number };
  readonly walls: Walls;
  readonly atTheMoney: Measure;
  readonly riskReversal: Measure;
  readonly volatilityRatio: Measure;
  /** Legs whose price implies no volatility, by reason. */
  readonly missing: Smile["missing"];
}

/** What a whole chain, unfiltered, says. */
export interface ChainFigures {
  readonly totals: Totals;
  readonly ratio: PutCallRatio;
  readonly byExpiry: readonly ExpiryFigures[];
  readonly thirtyDay: Measure;
}

export function pricingOf(
  underlying: Underlying,
  chain: OptionChain,
  rows: ExpiryRows,
  { rate, rateFrom, ...given }: Assumptions,
): Pricing {
  const cutOff = cutOffOf(underlying, rows.expiry, chain.time);
  const years = yearsTo(cutOff.time, chain.time);
  const price = given.price ?? (hasMids(chain, rows) ? "mid" : "last");
  const base = { cutOff, years, rate, rateFrom, price };
  if (given.dividendYield !== undefined) {
    const { dividendYield } = given;
    return { ...base, dividendYield, dividendYieldFrom: "request", dividendYieldReason: null };
  }
  const { value, reason } = impliedDividendYield(chain, rows, { years, rate });
  return value === null
    ? { ...base, dividendYield: 0, dividendYieldFrom: "none", dividendYieldReason: reason }
    : { ...base, dividendYield: value, dividendYieldFrom: "put-call parity", dividendYieldReason: null };
}

function hasMids({ call, put }: OptionChain, { from, to }: ExpiryRows): boolean {
  for (let row = from; row < to; row++) {
    if (!Number.isNaN(midPrice(call, row)) || !Number.isNaN(midPrice(put, row))) return true;
  }
  return false;
}

export function figuresOf(
  underlying: Underlying,
  chain: OptionChain,
  assumptions: Assumptions,
): ChainFigures {
  const ratios = putCallRatios(chain);
  const change = openInterestChange(chain);
  const byExpiry = chain.expiries.map((rows, i): ExpiryFigures => {
    const pricing = pricingOf(underlying, chain, rows, assumptions);
    const smile = smileOf(chain, rows, pricing);
    const sums = totalChange(change, rows);
    const told = (right: Right): Measure => {
      const sum = sums[right];
      return sum === null ? unmeasured(untold(right, "open interest of the session before")) : measured(sum);
    };
    return {
      expiry: rows.expiry,
      strikes: rows.to - rows.from,
      pricing,
      totals: totals(chain, rows),
      ratio: ratios.byExpiry[i],
      maxPain: maxPain(chain, rows),
      change: { call: told("call"), put: told("put"), unknown: sums.unknown },
      walls: openInterestWalls(chain, rows),
      atTheMoney: atTheMoneyVolatility(smile),
      riskReversal: riskReversal(smile),
      volatilityRatio: volatilityRatio(smile),
      missing: smile.missing,
    };
  });
  const points = byExpiry.map(({ expiry, pricing, atTheMoney }) => ({
    expiry,
    years: pricing.years,
    volatility: atTheMoney,
  }));
  return {
    totals: totals(chain),
    ratio: { openInterest: ratios.openInterest, volume: ratios.volume },
    byExpiry,
    thirtyDay: constantMaturityVolatility(points),
  };
}

/** The expiry that was asked for, or the first that has not ended. Null where the chain has none such. */
export function chooseExpiry(
  underlying: Underlying,
  chain: OptionChain,
  expiry: number | undefined,
): ExpiryRows | null {
  if (expiry !== undefined) return rowsOfExpiry(chain, expiry);
  const { expiries, time } = chain;
  return (
    expiries.find((rows) => cutOffOf(underlying, rows.expiry, time).time > time) ?? expiries.at(-1) ?? null
  );
}
