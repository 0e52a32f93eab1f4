import type { Ticks } from "./tick.js";

/** Quotes of many symbols as columns of one length, in the order in which they arrived. */
export interface QuoteTicks {
  readonly symbol: Uint16Array;
  /** Epoch ms UTC. */
  readonly time: Float64Array;
  /** 0 where that side is as it was. */
  readonly bid: Float64Array;
  readonly ask: Float64Array;
}

export function allocateQuotes(capacity: number): QuoteTicks {
  return {
    symbol: new Uint16Array(capacity),
    time: new Float64Array(capacity),
    bid: new Float64Array(capacity),
    ask: new Float64Array(capacity),
  };
}

/** What is made of a quote, by code: the place in this list. */
export const QUOTE_KINDS = [
  "mid",
  "locked",
  "one_sided",
  "crossed",
  "empty",
  "negative",
  "not_finite",
] as const;

export const MID = 0;
/** Bid and ask are equal: they make a mid all the same. */
export const LOCKED = 1;
/** The other side was never quoted. */
export const ONE_SIDED = 2;
/** The bid is above the ask: nobody knows the price until one side moves. */
export const CROSSED = 3;
/** Neither side is given. */
export const EMPTY = 4;
export const NEGATIVE = 5;
export const QUOTE_NOT_FINITE = 6;

/** Where things are in the state of a symbol. */
const BID = 0;
const ASK = 1;
/** Times of the quotes that told them. */
const BID_TIME = 2;
const ASK_TIME = 3;
const COUNTS = 4;
const STRIDE = COUNTS + QUOTE_KINDS.length;

/**
 * Makes quotes into ticks of the mid, for sources that tell no trades: their bars have no volume, and count quotes. A
 * side that is 0 is as it was; a crossed quote gives no mid, but its sides are remembered, since feeds that tell one
 * side at a time cross in passing. A side that is older than the one that is known is of its own quote alone: what comes
 * late and is refused leaves the sides as they are.
 */
export class QuoteMids {
  declare private readonly state: Float64Array;

  constructor(symbols: number) {
    this.state = new Float64Array(STRIDE * symbols);
    for (let s = 0; s < symbols; s++) {
      this.state[s * STRIDE + BID_TIME] = Number.NEGATIVE_INFINITY;
      this.state[s * STRIDE + ASK_TIME] = Number.NEGATIVE_INFINITY;
    }
  }

  /** What is made of quote `i`. Only where it is `MID` or `LOCKED` is the tick at `place` written. */
  take(quotes: QuoteTicks, i: number, into: Ticks, place: number): number {
    const at = quotes.symbol[i] * STRIDE;
    const kind = this.kindOf(quotes, i);
    this.state[at + COUNTS + kind]++;
    if (kind > LOCKED) return kind;
    into.symbol[place] = quotes.symbol[i];
    into.time[place] = quotes.time[i];
    const bid = quotes.bid[i] > 0 ? quotes.bid[i] : this.state[at + BID];
    const ask = quotes.ask[i] > 0 ? quotes.ask[i] : this.state[at + ASK];
    // Halves first, so that no sum overflows.
    into.price[place] = bid / 2 + ask / 2;
    into.size[place] = 0;
    into.id[place] = Number.NaN;
    return kind;
  }

  /** How many quotes of a symbol were of a kind. */
  count(symbol: number, kind: number): number {
    return this.state[symbol * STRIDE + COUNTS + kind];
  }

  /** Length of the saved state of a symbol. */
  get stateLength(): number {
    return STRIDE;
  }

  save(symbol: number, into: Float64Array): void {
    for (let k = 0; k < STRIDE; k++) into[k] = this.state[symbol * STRIDE + k];
  }

  load(symbol: number, from: Float64Array): void {
    for (let k = 0; k < STRIDE; k++) this.state[symbol * STRIDE + k] = from[k];
  }

  private kindOf(quotes: QuoteTicks, i: number): number {
    const { state } = this;
    const at = quotes.symbol[i] * STRIDE;
    const bid = quotes.bid[i];
    const ask = quotes.ask[i];
    if (!Number.isFinite(bid) || !Number.isFinite(ask) || !Number.isFinite(quotes.time[i])) {
      return QUOTE_NOT_FINITE;
    }
    if (bid < 0 || ask < 0) return NEGATIVE;
    if (bid === 0 && ask === 0) return EMPTY;
    const time = quotes.time[i];
    const best = bid > 0 ? bid : state[at + BID];
    const offered = ask > 0 ? ask : state[at + ASK];
    if (bid > 0 && time >= state[at + BID_TIME]) {
      state[at + BID] = bid;
      state[at + BID_TIME] = time;
    }
    if (ask > 0 && time >= state[at + ASK_TIME]) {
      state[at + ASK] = ask;
      state[at + ASK_TIME] = time;
    }
    if (best === 0 || offered === 0) return ONE_SIDED;
    if (best > offered) return CROSSED;
    return best === offered ? LOCKED : MID;
  }
}
