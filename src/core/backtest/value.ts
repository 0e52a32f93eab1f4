import { isSure, MICROS, nearestWhole, timesMicros } from "../execution/money.js";
import type { Solo } from "./solo.js";

/** Cash and what is held at a price. Money in micros. */
export function worthAt(cash: number, held: number, price: number): number {
  return held === 0 ? cash : cash + timesMicros(price, held);
}

/** Writes what an account has now at the closes of bars [from, to) into a column that begins at bar `first`. */
export function valueBars(
  { candles, cash, held }: Pick<Solo, "candles" | "cash" | "held">,
  equity: Float64Array,
  first: number,
  from: number,
  to: number,
): void {
  if (held === 0) {
    // Of a few bars a loop is done before `fill` has begun.
    for (let i = from; i < to; i++) equity[i - first] = cash;
    return;
  }
  const { close } = candles;
  for (let i = from; i < to; i++) {
    i = valuePlain(close, equity, first, cash, held, i, to);
    if (i < to) equity[i - first] = cash + timesMicros(close[i], held);
  }
}

/**
 * The same of what is held, as far as rounding leaves no doubt: a loop with a call in it takes twice the time.
 * @returns the first bar in doubt, or `to`.
 */
function valuePlain(
  close: Float64Array,
  equity: Float64Array,
  first: number,
  cash: number,
  held: number,
  from: number,
  to: number,
): number {
  let i = from;
  for (; i < to; i++) {
    const micros = close[i] * held * MICROS;
    const nearest = nearestWhole(micros);
    if (!isSure(micros, nearest)) break;
    equity[i - first] = cash + nearest;
  }
  return i;
}
