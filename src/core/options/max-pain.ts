import type { ExpiryRows, OptionChain } from "./chain.js";
import { type Measure, measured, unmeasured } from "./measure.js";
import { totals, untold } from "./open-interest.js";

/**
 * The listed strike at which the options of an expiry would pay their holders least, the lowest of equals.
 * The payout as a function of the settlement is convex, its slope beyond a strike being the open interest of
 * calls at or below it less that of puts above it: the first strike where that is not negative is the answer.
 * Unknown open interest counts as none, and there is no answer where it is unknown for a whole side.
 */
export function maxPain(chain: OptionChain, rows: ExpiryRows): Measure {
  const { strike } = chain;
  const calls = chain.call.openInterest;
  const puts = chain.put.openInterest;
  const sums = totals(chain, rows);
  if (sums.callOpenInterest === null) return unmeasured(untold("call", "open interest"));
  if (sums.putOpenInterest === null) return unmeasured(untold("put", "open interest"));
  if (sums.callOpenInterest + sums.putOpenInterest === 0) return unmeasured("no open interest");
  let putsAbove = 0;
  for (let row = rows.from; row < rows.to; row++) {
    if (puts[row] > 0) putsAbove += puts[row];
  }
  let callsBelow = 0;
  for (let row = rows.from; row < rows.to - 1; row++) {
    if (calls[row] > 0) callsBelow += calls[row];
    if (puts[row] > 0) putsAbove -= puts[row];
    if (callsBelow >= putsAbove) return measured(strike[row]);
  }
  return measured(strike[rows.to - 1]);
}

/** What all options of an expiry would pay if it settled at each of its strikes, in price times open interest. */
export function payouts(chain: OptionChain, rows: ExpiryRows): Float64Array {
  const { strike } = chain;
  const calls = chain.call.openInterest;
  const puts = chain.put.openInterest;
  const paid = new Float64Array(rows.to - rows.from);
  let held = 0;
  let payout = 0;
  for (let row = rows.from + 1; row < rows.to; row++) {
    if (calls[row - 1] > 0) held += calls[row - 1];
    payout += held * (strike[row] - strike[row - 1]);
    paid[row - rows.from] = payout;
  }
  held = 0;
  payout = 0;
  for (let row = rows.to - 2; row >= rows.from; row--) {
    if (puts[row + 1] > 0) held += puts[row + 1];
    payout += held * (strike[row + 1] - strike[row]);
    paid[row - rows.from] += payout;
  }
  return paid;
}
