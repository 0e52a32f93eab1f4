import { lowerBound } from "../base/search.js";
import { LEG_COLUMNS, type LegColumn, type OptionQuote } from "../market/option-quote.js";

/**
 * The calls or the puts of a chain, one per row; NaN where the source says nothing. Prices are per unit of the
 * underlying, volume and open interest in the source's unit (contracts or shares), volatility is a fraction per
 * root year (0.2, not 20), greeks are the source's own.
 */
export type Legs = Readonly<Record<LegColumn, Float64Array>>;

/** A stretch of rows: from <= row < to. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/** The rows of one expiry. */
export interface ExpiryRows extends Rows {
  /** Days since 1970-01-01. */
  readonly expiry: number;
}

/**
 * The options on one underlying at one time: columns with one row per expiry and strike, ascending by expiry and
 * within it by strike.
 */
export interface OptionChain {
  readonly underlying: string;
  /** When it was so, epoch ms. */
  readonly time: number;
  /** Price of the underlying; NaN where the source gave none. */
  readonly spot: number;
  readonly expiry: Float64Array;
  readonly strike: Float64Array;
  readonly call: Legs;
  readonly put: Legs;
  readonly expiries: readonly ExpiryRows[];
}

export type ChainHeader = Pick<OptionChain, "underlying" | "time" | "spot">;

export interface RejectedQuote {
  readonly quote: OptionQuote;
  readonly reason: string;
  /** The later quote of the same leg that stands in its place; null where the quote cannot stand at all. */
  readonly replacedBy: OptionQuote | null;
}

export interface CollectedChain {
  readonly chain: OptionChain;
  readonly rejected: readonly RejectedQuote[];
}

type Given = number | null | undefined;

/** Columns that are not below 0; the others are greeks. */
const NOT_NEGATIVE: ReadonlySet<LegColumn> = new Set(LEG_COLUMNS.slice(0, LEG_COLUMNS.indexOf("delta")));

/** Why a quote cannot stand in a chain, or null. */
export function quoteProblem(quote: OptionQuote): string | null {
  if (!Number.isInteger(quote.expiry)) return "expiry is not a day";
  if (!(quote.strike > 0 && Number.isFinite(quote.strike))) return "strike is not above 0";
  if (isPlain(quote)) return null;
  for (const column of LEG_COLUMNS) {
    const value = quote[column];
    if (value === undefined || value === null || Number.isNaN(value)) continue;
    if (!Number.isFinite(value)) return `${column} is not finite`;
    if (value < 0 && NOT_NEGATIVE.has(column)) return `${column} is below 0`;
  }
  return null;
}

/** True for nearly all quotes, and many times as fast as asking column by column, which finds the name. */
function isPlain(quote: OptionQuote): boolean {
  return (
    isAmount(quote.last) &&
    isAmount(quote.bid) &&
    isAmount(quote.ask) &&
    isAmount(quote.volume) &&
    isAmount(quote.openInterest) &&
    isAmount(quote.previousOpenInterest) &&
    isAmount(quote.volatility) &&
    isFiniteOrUnknown(quote.delta) &&
    isFiniteOrUnknown(quote.gamma) &&
    isFiniteOrUnknown(quote.theta) &&
    isFiniteOrUnknown(quote.vega)
  );
}

function isAmount(value: Given): boolean {
  return isFiniteOrUnknown(value) && !(typeof value === "number" && value < 0);
}

function isFiniteOrUnknown(value: Given): boolean {
  return (
    typeof value !== "number" || (value !== Number.POSITIVE_INFINITY && value !== Number.NEGATIVE_INFINITY)
  );
}

/**
 * A chain from legs in any order: sorted, paired by expiry and strike, impossible ones left out and named. Of two
 * quotes of one leg the later in the list stands. A volatility of 0 counts as unknown, for that is what sources
 * send where they could not solve for one, and a spot that is not above 0 too.
 */
export function collectChain(header: ChainHeader, quotes: readonly OptionQuote[]): CollectedChain {
  const rejected: RejectedQuote[] = [];
  const legs: OptionQuote[] = [];
  for (const quote of quotes) {
    const reason = quoteProblem(quote);
    if (reason === null) legs.push(quote);
    else rejected.push({ quote, reason, replacedBy: null });
  }
  // Stable, so that equal legs stay in the order in which they came.
  legs.sort((a, b) => a.expiry - b.expiry || a.strike - b.strike);
  const calls: (OptionQuote | null)[] = [];
  const puts: (OptionQuote | null)[] = [];
  const keys: OptionQuote[] = [];
  for (const leg of legs) {
    const key = keys.at(-1);
    if (key === undefined || key.expiry !== leg.expiry || key.strike !== leg.strike) {
      keys.push(leg);
      calls.push(null);
      puts.push(null);
    }
    const side = leg.right === "call" ? calls : puts;
    const earlier = side[keys.length - 1];
    if (earlier !== null) {
      const reason = "replaced by a later quote of the same leg";
      rejected.push({ quote: earlier, reason, replacedBy: leg });
    }
    side[keys.length - 1] = leg;
  }
  const expiry = new Float64Array(keys.map((key) => key.expiry));
  const chain: OptionChain = {
    underlying: header.underlying,
    time: header.time,
    spot: header.spot > 0 && Number.isFinite(header.spot) ? header.spot : Number.NaN,
    expiry,
    strike: new Float64Array(keys.map((key) => key.strike)),
    call: legsOf(calls),
    put: legsOf(puts),
    expiries: expiryRows(expiry),
  };
  return { chain, rejected };
}

function legsOf(quotes: readonly (OptionQuote | null)[]): Legs {
  const legs = mapLegs(() => new Float64Array(quotes.length).fill(Number.NaN));
  for (let row = 0; row < quotes.length; row++) {
    const quote = quotes[row];
    if (quote === null) continue;
    place(legs.last, row, quote.last);
    place(legs.bid, row, quote.bid);
    place(legs.ask, row, quote.ask);
    place(legs.volume, row, quote.volume);
    place(legs.openInterest, row, quote.openInterest);
    place(legs.previousOpenInterest, row, quote.previousOpenInterest);
    place(legs.volatility, row, quote.volatility === 0 ? null : quote.volatility);
    place(legs.delta, row, quote.delta);
    place(legs.gamma, row, quote.gamma);
    place(legs.theta, row, quote.theta);
    place(legs.vega, row, quote.vega);
  }
  return legs;
}

function place(column: Float64Array, row: number, value: Given): void {
  if (typeof value === "number") column[row] = value;
}

/** Legs of a column for each name. */
export function mapLegs(columnOf: (name: LegColumn) => Float64Array): Legs {
  return {
    last: columnOf("last"),
    bid: columnOf("bid"),
    ask: columnOf("ask"),
    volume: columnOf("volume"),
    openInterest: columnOf("openInterest"),
    previousOpenInterest: columnOf("previousOpenInterest"),
    volatility: columnOf("volatility"),
    delta: columnOf("delta"),
    gamma: columnOf("gamma"),
    theta: columnOf("theta"),
    vega: columnOf("vega"),
  };
}

function expiryRows(expiry: Float64Array): ExpiryRows[] {
  const found: ExpiryRows[] = [];
  for (let from = 0; from < expiry.length; ) {
    let to = from + 1;
    while (to < expiry.length && expiry[to] === expiry[from]) to++;
    found.push({ expiry: expiry[from], from, to });
    from = to;
  }
  return found;
}

/** The chain of some of its rows, given in ascending order. */
export function selectRows(chain: OptionChain, rows: readonly number[]): OptionChain {
  const pick = (column: Float64Array) => {
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]];
    return picked;
  };
  const expiry = pick(chain.expiry);
  return {
    underlying: chain.underlying,
    time: chain.time,
    spot: chain.spot,
    expiry,
    strike: pick(chain.strike),
    call: mapLegs((name) => pick(chain.call[name])),
    put: mapLegs((name) => pick(chain.put[name])),
    expiries: expiryRows(expiry),
  };
}

/**
 * A chain of columns that were one before. Null where they have not one length, or rows are not ascending by expiry
 * and strike.
 */
export function chainFromColumns(
  header: ChainHeader,
  columns: Pick<OptionChain, "expiry" | "strike" | "call" | "put">,
): OptionChain | null {
  const { expiry, strike, call, put } = columns;
  const { length } = expiry;
  const all = [strike, ...LEG_COLUMNS.flatMap((name) => [call[name], put[name]])];
  if (all.some((column) => column.length !== length)) return null;
  for (let row = 0; row < length; row++) {
    if (!Number.isInteger(expiry[row]) || !(strike[row] > 0)) return null;
    if (row === 0 || expiry[row] > expiry[row - 1]) continue;
    if (expiry[row] < expiry[row - 1] || strike[row] <= strike[row - 1]) return null;
  }
  return { ...header, expiry, strike, call, put, expiries: expiryRows(expiry) };
}

/** All rows of a chain. */
export function allRows(chain: OptionChain): Rows {
  return { from: 0, to: chain.strike.length };
}

/** The rows of an expiry given in days since 1970-01-01, or null. */
export function rowsOfExpiry(chain: OptionChain, expiry: number): ExpiryRows | null {
  return chain.expiries.find((rows) => rows.expiry === expiry) ?? null;
}

/** Index of the strike nearest a price, the lower of two equally near; -1 in no strikes or for no price. */
export function nearestStrike(strikes: Float64Array, price: number): number {
  if (strikes.length === 0 || Number.isNaN(price)) return -1;
  const above = lowerBound(strikes, price);
  if (above === 0) return 0;
  if (above === strikes.length) return above - 1;
  return price - strikes[above - 1] <= strikes[above] - price ? above - 1 : above;
}

/** Row of the strike at the money: listed and nearest the spot, the lower of two. -1 where the spot is unknown. */
export function atTheMoneyRow(chain: OptionChain, rows: ExpiryRows): number {
  const nearest = nearestStrike(chain.strike.subarray(rows.from, rows.to), chain.spot);
  return nearest < 0 ? -1 : rows.from + nearest;
}

/** Middle of bid and ask, NaN unless there is a bid above 0 and an ask not below it. */
export function midPrice(legs: Legs, row: number): number {
  const bid = legs.bid[row];
  const ask = legs.ask[row];
  return bid > 0 && ask >= bid ? 0.5 * (bid + ask) : Number.NaN;
}
