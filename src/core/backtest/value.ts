import { isSure, MICROS, nearestWhole, timesMicros } from "../execution/money.js";
import { NeedsDesk, type Solo } from "./solo.js";

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

/** Equity at the closes of bars, written where cash or position is about to change: between two changes both are constant. */
export class Marks {
  readonly #account: Solo;
  readonly #equity: Float64Array;
  readonly #from: number;
  readonly #bars: Int32Array | null;
  /** The first bar that has not been valued, and the place of the first of `#bars` from it on. */
  #since: number;
  #next = 0;

  /** @param from the bar whose equity is the first. @param bars of them those that are valued alone; null for all. */
  constructor(account: Solo, equity: Float64Array, from: number, bars: Int32Array | null) {
    this.#account = account;
    this.#equity = equity;
    this.#from = from;
    this.#bars = bars;
    this.#since = from;
  }

  /** Values what the account has at the closes of the bars before `end` that have not been valued. */
  until(end: number): void {
    if (this.#account.held < 0 && this.#account.isRuined(this.#since, end))
      throw new NeedsDesk("a short position may lose more than there is");
    if (this.#bars !== null) this.#valueSome(this.#bars, end);
    else valueBars(this.#account, this.#equity, this.#from, this.#since, end);
    this.#since = end;
  }

  #valueSome(bars: Int32Array, end: number): void {
    const { cash, held, candles } = this.#account;
    for (; this.#next < bars.length && bars[this.#next] + this.#from < end; this.#next++) {
      const place = bars[this.#next];
      this.#equity[place] = worthAt(cash, held, candles.close[place + this.#from]);
    }
  }
}
