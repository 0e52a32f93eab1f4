import { assert } from "../base/assert.js";
import type { Masks } from "./mask.js";
import { type BacktestRules, firstCounted, type Listing } from "./rules.js";
import { END, Solo, type SoloTrades, soloProblem } from "./solo.js";
import { valueBars } from "./value.js";

export interface MaskRun {
  readonly trades: SoloTrades;
  /** At the close of each bar that counts, micros. */
  readonly equity: Float64Array;
  /** Bars at whose close an entry was decided that came to nothing, and bars at whose open a sale did not pay its fees. */
  readonly turned: readonly number[];
}

/** Why masks have to be traded by events; null where the fast path gives the same. */
export function maskProblem(rules: BacktestRules, listing: Listing, { side }: Masks): string | null {
  const { account } = rules.desk;
  const problem = soloProblem(rules, listing);
  if (problem === null && (listing.happenings ?? []).length > 0) return "there are dividends";
  if (problem === null && rules.desk.volumeShare !== null) return "orders may be filled in part";
  if (problem !== null || side === "long") return problem;
  const canShort = account.kind === "margin" && account.shorting && listing.traded?.shortable !== false;
  return canShort ? null : "nothing can be sold short";
}

/**
 * Trades masks without a desk: the same trades and the same equity as `runBacktest` has of `maskStrategy`, to the micro.
 * @throws AssertionError where `maskProblem` has something to say.
 */
export function runMasks(listing: Listing, masks: Masks, rules: BacktestRules): MaskRun {
  const problem = maskProblem(rules, listing, masks);
  assert(problem === null, problem ?? "");
  const account = new Solo(listing, rules);
  const { length } = listing.candles.time;
  const first = firstCounted(rules, listing.candles.time);
  const equity = new Float64Array(length - first);
  const free = rules.closing === "last_open" ? length - 1 : length;
  let from = first;
  // Each stretch ends with the bar at whose close something is asked for.
  while (from < length) {
    const at = nextAsked(masks, account.held, from, free - 1);
    valueBars(account, equity, first, from, Math.min(at + 1, length));
    from = at + 1;
    if (from < free) act(account, masks, from);
    else if (from < length && account.held !== 0) account.close(from, END);
  }
  return { trades: account.trades(first), equity, turned: account.turned };
}

/** First bar from `from` on at whose close something is asked for; otherwise the last one whose order can be filled. */
function nextAsked({ entries, exits, side }: Masks, held: number, from: number, last: number): number {
  let i = from;
  if (side === "long" && held > 0) while (i < last && exits[i] !== 1) i++;
  else if (side === "both" && held === 0) while (i < last && entries[i] === exits[i]) i++;
  else if (held > 0) while (i < last && (exits[i] !== 1 || entries[i] === 1)) i++;
  else while (i < last && (entries[i] !== 1 || exits[i] === 1)) i++;
  return i;
}

/** Carries out at the open of bar `i` what was asked for at the close before. */
function act(account: Solo, { entries, exits, side }: Masks, i: number): void {
  const { held } = account;
  if (side === "long" && held > 0) {
    if (exits[i - 1] === 1) account.close(i, i - 1);
  } else if (entries[i - 1] !== exits[i - 1]) {
    const way = entries[i - 1] === 1 ? 1 : -1;
    if (side === "both" ? held * way <= 0 : way > 0) account.enter(i, i - 1, way, Number.NaN, Number.NaN);
  }
}
