import { roundQuantity } from "./money.js";

/** Units that were filled at the quotes of one minute. */
export interface Quoted {
  /** Beginning of the minute, epoch ms. */
  readonly minute: number;
  quantity: number;
}

/** What was filled at quotes, by symbol, the oldest minute first. */
export type QuotedFills = Map<string, Quoted[]>;

const MINUTE_MS = 60_000;
/** Longer than from one bar to the next, also of days over a long weekend. */
const KEPT_MS = 7 * 24 * 60 * MINUTE_MS;

/** Notes a fill at a quote. Quotes come in order of time but for some that overtake each other. */
export function noteQuoted(fills: QuotedFills, symbol: string, atMs: number, quantity: number): void {
  const minute = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  const known = fills.get(symbol) ?? [];
  if (known.length === 0) fills.set(symbol, known);
  let k = known.length;
  while (k > 0 && known[k - 1].minute > minute) k--;
  const same = k > 0 ? known[k - 1] : undefined;
  if (same?.minute === minute) same.quantity = roundQuantity(same.quantity + quantity);
  else known.splice(k, 0, { minute, quantity });
  const newest = known[known.length - 1].minute;
  while (known[0].minute < newest - KEPT_MS) known.shift();
}

/** Units of a symbol that were filled at quotes of minutes that begin in [fromMs, toMs); bars begin and end with minutes. */
export function takenBetween(fills: QuotedFills, symbol: string, fromMs: number, toMs: number): number {
  const known = fills.get(symbol);
  if (known === undefined) return 0;
  let taken = 0;
  for (let k = known.length - 1; k >= 0 && known[k].minute >= fromMs; k--) {
    if (known[k].minute < toMs) taken += known[k].quantity;
  }
  return roundQuantity(taken);
}
