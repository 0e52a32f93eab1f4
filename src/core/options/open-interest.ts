import type { Right } from "../market/option-quote.js";
import type { ExpiryRows, Legs, OptionChain, Rows } from "./chain.js";
import { allRows } from "./chain.js";
import { type Measure, measured, unmeasured } from "./measure.js";

/** Sums over rows, null where no leg tells its figure; legs whose figure is unknown add nothing and are counted. */
export interface Totals {
  readonly callOpenInterest: number | null;
  readonly putOpenInterest: number | null;
  readonly callVolume: number | null;
  readonly putVolume: number | null;
  readonly unknownOpenInterest: number;
  readonly unknownVolume: number;
}

interface Sum {
  /** Null where nothing is known. */
  readonly total: number | null;
  readonly unknown: number;
}

function sum(column: Float64Array, { from, to }: Rows): Sum {
  let total = 0;
  let unknown = 0;
  for (let row = from; row < to; row++) {
    const value = column[row];
    if (Number.isNaN(value)) unknown++;
    else total += value;
  }
  return { total: unknown === to - from ? null : total, unknown };
}

export function totals(chain: OptionChain, rows: Rows = allRows(chain)): Totals {
  const callInterest = sum(chain.call.openInterest, rows);
  const putInterest = sum(chain.put.openInterest, rows);
  const callVolume = sum(chain.call.volume, rows);
  const putVolume = sum(chain.put.volume, rows);
  return {
    callOpenInterest: callInterest.total,
    putOpenInterest: putInterest.total,
    callVolume: callVolume.total,
    putVolume: putVolume.total,
    unknownOpenInterest: callInterest.unknown + putInterest.unknown,
    unknownVolume: callVolume.unknown + putVolume.unknown,
  };
}

export type Figure = "open interest" | "volume" | "open interest of the session before";

/** Why there is no sum over a side. */
export function untold(right: Right, figure: Figure): string {
  return `no ${right} tells its ${figure}`;
}

/** Why sums are null, each reason once; null where none is. */
export function totalsProblem(sums: Totals): string | null {
  const reasons = [
    sums.callOpenInterest === null ? [untold("call", "open interest")] : [],
    sums.putOpenInterest === null ? [untold("put", "open interest")] : [],
    sums.callVolume === null ? [untold("call", "volume")] : [],
    sums.putVolume === null ? [untold("put", "volume")] : [],
  ].flat();
  return reasons.length === 0 ? null : reasons.join("; ");
}

/** Puts over calls. */
export interface PutCallRatio {
  readonly openInterest: Measure;
  readonly volume: Measure;
}

export interface PutCallRatios extends PutCallRatio {
  readonly byExpiry: readonly (PutCallRatio & { readonly expiry: number })[];
}

/** Put-call ratios of a whole chain and of each expiry. Give it the chain as it came, not a filtered one. */
export function putCallRatios(chain: OptionChain): PutCallRatios {
  const byExpiry = chain.expiries.map((rows) => ({
    expiry: rows.expiry,
    ...ratioOf(totals(chain, rows)),
  }));
  return { ...ratioOf(totals(chain)), byExpiry };
}

function ratioOf(sums: Totals): PutCallRatio {
  return {
    openInterest: ratio(sums.putOpenInterest, sums.callOpenInterest, "open interest"),
    volume: ratio(sums.putVolume, sums.callVolume, "volume"),
  };
}

function ratio(puts: number | null, calls: number | null, what: Figure): Measure {
  if (calls === null) return unmeasured(untold("call", what));
  if (puts === null) return unmeasured(untold("put", what));
  return calls > 0 ? measured(puts / calls) : unmeasured(`no ${what} in calls`);
}

/** Open interest less that of the session before, by leg; NaN where either is unknown. */
export interface OpenInterestChange {
  readonly call: Float64Array;
  readonly put: Float64Array;
}

export function openInterestChange(chain: OptionChain): OpenInterestChange {
  const change = (side: "call" | "put") => {
    const { openInterest, previousOpenInterest } = chain[side];
    return openInterest.map((now, row) => now - previousOpenInterest[row]);
  };
  return { call: change("call"), put: change("put") };
}

/**
 * The chain with the open interest of an earlier one as that of the session before, for sources that do not tell it.
 * A leg that the earlier chain has not, or a strike it lacks, stays unknown.
 */
export function withPreviousOpenInterest(chain: OptionChain, earlier: OptionChain): OptionChain {
  const rowOf = new Map<string, number>();
  for (let row = 0; row < earlier.strike.length; row++) {
    rowOf.set(`${earlier.expiry[row]} ${earlier.strike[row]}`, row);
  }
  const side = (right: "call" | "put"): Legs => {
    const previousOpenInterest = chain.strike.map((strike, row) => {
      const before = rowOf.get(`${chain.expiry[row]} ${strike}`);
      return before === undefined ? Number.NaN : earlier[right].openInterest[before];
    });
    return { ...chain[right], previousOpenInterest };
  };
  return { ...chain, call: side("call"), put: side("put") };
}

/** Sums of the change over rows, null where it is known for no leg, and how many legs it is unknown for. */
export function totalChange(
  change: OpenInterestChange,
  rows: Rows,
): { readonly call: number | null; readonly put: number | null; readonly unknown: number } {
  const call = sum(change.call, rows);
  const put = sum(change.put, rows);
  return { call: call.total, put: put.total, unknown: call.unknown + put.unknown };
}

/** A strike at which much open interest stands. */
export interface Wall {
  readonly strike: number;
  readonly openInterest: number;
  /** Over the mean open interest of that side's legs of the expiry, those without any left out. */
  readonly timesMean: number;
}

export interface Walls {
  /** Largest open interest in puts at strikes at or below the spot. */
  readonly support: Wall | null;
  /** Largest open interest in calls at strikes at or above the spot. */
  readonly resistance: Wall | null;
}

/**
 * Where writers of options would defend a price: of two strikes with equal open interest the one nearer the spot.
 * Null where none of the strikes on that side has one, or where the spot is unknown.
 */
export function openInterestWalls(chain: OptionChain, rows: ExpiryRows): Walls {
  const { strike, spot } = chain;
  let support = -1;
  let resistance = -1;
  const puts = chain.put.openInterest;
  const calls = chain.call.openInterest;
  for (let row = rows.from; row < rows.to; row++) {
    if (strike[row] <= spot && puts[row] > 0 && (support < 0 || puts[row] >= puts[support])) support = row;
    if (strike[row] >= spot && calls[row] > 0 && (resistance < 0 || calls[row] > calls[resistance])) {
      resistance = row;
    }
  }
  return { support: wallAt(chain, puts, rows, support), resistance: wallAt(chain, calls, rows, resistance) };
}

function wallAt(chain: OptionChain, column: Float64Array, rows: Rows, at: number): Wall | null {
  if (at < 0) return null;
  let total = 0;
  let legs = 0;
  for (let row = rows.from; row < rows.to; row++) {
    if (!(column[row] > 0)) continue;
    total += column[row];
    legs++;
  }
  return {
    strike: chain.strike[at],
    openInterest: column[at],
    timesMean: (column[at] * legs) / total,
  };
}
