import { worthOf } from "../execution/account.js";
import { type Commission, feesOwed, percentOf, totalOf } from "../execution/commission.js";
import { type Costs, takerPrice } from "../execution/costs.js";
import type { Traded } from "../execution/instrument.js";
import { floorToLot, quantityFor, roundQuantity, timesMicros } from "../execution/money.js";

const NO_FEES = Object.freeze({});
/** Steps by a lot towards the most that can be paid; a percentage needs one or two. */
const MOST_STEPS = 64;

/** Fees of an order that fills at once. @param known price times quantity in micros, where that is. */
export function feesOf(
  commission: Commission,
  way: 1 | -1,
  quantity: number,
  price: number,
  known?: number,
): number {
  if (commission.kind === "none" || quantity === 0) return 0;
  const micros = known ?? timesMicros(price, quantity);
  if (commission.kind === "percent") return percentOf(commission, micros);
  const side = way > 0 ? "buy" : "sell";
  const traffic = { side, quantity, micros, fillMicros: micros, maker: false } as const;
  const fees = feesOwed(commission, traffic, NO_FEES);
  // All but one kind of commission have one kind of fees.
  return commission.kind === "indian_options" ? totalOf(fees) : fees.commission;
}

/**
 * The most units whose price and fees a budget pays, to the micro. @param closing units of the same order that close what
 * is held, whose fees it also pays.
 */
export function unitsFor(
  budget: number,
  price: number,
  way: 1 | -1,
  commission: Commission,
  lot: number,
  closing: number,
): number {
  if (!(budget > 0)) return 0;
  const owed = (units: number) => {
    const micros = timesMicros(price, units);
    return closing === 0
      ? micros + feesOf(commission, way, units, price, micros)
      : micros + feesOf(commission, way, roundQuantity(units + closing), price);
  };
  const rate = commission.kind === "percent" ? commission.rate : 0;
  const forClosing = feesOf(commission, way, closing, price);
  let units = wholeLots(Math.floor((budget - forClosing) / (1 + rate)), price, lot);
  let due = owed(units);
  for (let step = 0; step < MOST_STEPS && units > 0 && due > budget; step++) {
    const fee = feesOf(commission, way, roundQuantity(units + closing), price);
    const less = wholeLots(budget - fee, price, lot);
    units = Math.max(0, Math.min(less, roundQuantity(units - lot)));
    due = owed(units);
  }
  if (units > 0 && due > budget) return 0;
  if (lot < 1) return units;
  for (let step = 0; step < MOST_STEPS && owed(units + lot) <= budget; step++) units += lot;
  return units;
}

function wholeLots(micros: number, price: number, lot: number): number {
  if (micros <= 0) return 0;
  if (lot !== 1) return quantityFor(micros, price, lot);
  const near = Math.floor(micros / (price * 1e6));
  if (near > 1e9) return quantityFor(micros, price, lot);
  // A quotient of doubles may be off by one at a whole number.
  if (timesMicros(price, near + 1) <= micros) return near + 1;
  return near > 0 && timesMicros(price, near) > micros ? near - 1 : near;
}

/** What is known of the bar in which an order fills at the open. */
export interface Opening {
  readonly open: number;
  readonly volume: number;
  readonly range: number;
}

/** What a taker pays at an open: `takerPrice` before the order is there. */
export function priceAtOpen(
  costs: Costs,
  { tick }: Traded,
  way: 1 | -1,
  fillId: string,
  quantity: number,
  { open, volume, range }: Opening,
): number {
  return takerPrice(costs, open, way, Number.NaN, tick, true, { fillId, quantity, volume, range });
}

/** Units of a signed share of equity at a price, whole lots, the sign that of the share. */
export function unitsOfShare(equity: number, share: number, price: number, lot: number): number {
  const micros = Math.floor(Math.abs(share) * equity);
  const units = micros <= 0 ? 0 : floorToLot(wholeLots(micros, price, lot), lot);
  return share < 0 && units !== 0 ? -units : units;
}

/** An entry whose size is asked for. Money in micros. */
export interface Entering {
  readonly way: 1 | -1;
  /** What is held, on the other side where it is anything: the same order closes it. */
  readonly held: number;
  /** Equity but for what is held of the symbol. */
  readonly rest: number;
  /** Share of the equity, or micros, that is put in. */
  readonly share: number | null;
  readonly amount: number;
  /** The most that there is to spend; Infinity where the account says so itself. */
  readonly most: number;
  /** The open, or the close before. */
  readonly mark: number;
  readonly commission: Commission;
  readonly lot: number;
}

/**
 * Units of an entry and the price that the order is expected to have. A price may depend on the size and the size on the
 * price: it is asked for with what is closed and once more with all.
 */
export function sizeEntry(
  entering: Entering,
  priceOf: (units: number) => number,
): { units: number; price: number } {
  const closing = Math.abs(entering.held);
  let price = priceOf(closing);
  let units = unitsAt(entering, price, closing);
  if (units === 0) return { units, price };
  const next = priceOf(roundQuantity(units + closing));
  if (next !== price) {
    price = next;
    units = unitsAt(entering, price, closing);
  }
  return { units, price };
}

function unitsAt(
  { way, held, rest, share, amount, most, mark, commission, lot }: Entering,
  price: number,
  closing: number,
): number {
  const equity = held === 0 ? rest : rest + worthOf(held, price);
  const wanted = share === null ? amount : Math.floor(equity * share);
  // A short position needs what it is worth before costs.
  const counted = way > 0 ? price : Math.max(price, mark);
  return unitsFor(Math.min(wanted, most), counted, way, commission, lot, closing);
}
