import { type Fees, totalOf } from "../execution/commission.js";
import { fromMicros, roundQuantity, shareMicros } from "../execution/money.js";
import { type ExitReason, signOf, type Trade } from "./trade.js";

export const NO_FEES: Fees = Object.freeze({});

/** A trade as its book writes it. */
export type TradeRow = { -readonly [K in keyof Trade]: Trade[K] };

/** What of a trade is open beside others of its symbol. */
export interface Lot {
  readonly trade: TradeRow;
  quantity: number;
  /** Price times quantity of its entries, micros. */
  cost: number;
}

/** What closes lots: its quantity, its money and its fees in micros. */
export interface Exit {
  readonly quantity: number;
  readonly micros: number;
  readonly fees: Fees;
  readonly reason: ExitReason;
  readonly at: number;
  readonly seq: number;
  readonly ambiguous: boolean;
  /** The trade whose lots are closed before others; null where none is named. */
  readonly trade: Trade | null;
  /** Nothing of the position is left. */
  readonly all: boolean;
}

/**
 * Shares micros out by weights of 0 or more: to each its share of what is left, rounded, so that the last takes the
 * remainder and the parts sum to the whole.
 */
export function shareOut(micros: number, weights: readonly number[]): number[] {
  let left = micros;
  let weight = weights.reduce((sum, each) => sum + each, 0);
  return weights.map((own, k) => {
    const part = k === weights.length - 1 || own >= weight ? left : shareMicros(left, own, weight);
    left -= part;
    weight = roundQuantity(weight - own);
    return part;
  });
}

/** Adds what a trade opened, to its lot where that is the newest. */
export function addLot(lots: Lot[], trade: TradeRow, quantity: number, cost: number): void {
  const last = lots.at(-1);
  if (last?.trade === trade) {
    last.quantity = roundQuantity(last.quantity + quantity);
    last.cost += cost;
  } else lots.push({ trade, quantity, cost });
  trade.quantity = roundQuantity(trade.quantity + quantity);
  trade.openQuantity = roundQuantity(trade.openQuantity + quantity);
  trade.entryMicros += cost;
  trade.openMicros += cost;
}

/** Shares micros among open lots by their quantities, the last taking the remainder. @returns their trades. */
export function shareAmong(
  lots: readonly Lot[],
  micros: number,
  add: (trade: TradeRow, part: number) => void,
): TradeRow[] {
  const parts = shareOut(
    micros,
    lots.map(({ quantity }) => quantity),
  );
  for (const [k, { trade }] of lots.entries()) {
    add(trade, parts[k]);
    price(trade);
  }
  return [...new Set(lots.map(({ trade }) => trade))];
}

/** What a part of a fill owes of its fees. */
export function partOfFees(fees: Fees, part: number, whole: number): Fees {
  if (part === 0) return NO_FEES;
  return Object.fromEntries(
    Object.entries(fees).map(([kind, micros]) => [kind, shareMicros(micros, part, whole)]),
  );
}

export function restOfFees(fees: Fees, taken: Fees): Fees {
  return Object.fromEntries(
    Object.entries(fees).map(([kind, micros]) => [kind, micros - (taken[kind] ?? 0)]),
  );
}

/**
 * Closes the lots of the trade that is named, then the oldest, and takes those that are used up out of the list.
 * @returns the trades they are of.
 */
export function closeLots(lots: Lot[], exit: Exit): TradeRow[] {
  const order = inOrder(lots, exit.trade);
  const parts = partsOf(order, exit);
  const money = shareOut(exit.micros, parts);
  const fees = feeShares(exit.fees, parts);
  const gone = new Set<Lot>();
  for (const [k, part] of parts.entries()) {
    const lot = order[k];
    // Where quantities are too large to be exact, what the last lot cannot give stays with it.
    const isWhole = exit.all || (part === lot.quantity && k < order.length - 1);
    const cost = part === lot.quantity ? lot.cost : shareMicros(lot.cost, part, lot.quantity);
    lot.cost -= cost;
    lot.quantity = roundQuantity(lot.quantity - part);
    if (isWhole) gone.add(lot);
    takeExit(lot.trade, { part, cost, money: money[k], fees: fees[k], ambiguous: exit.ambiguous });
  }
  const touched = [...new Set(order.slice(0, parts.length).map(({ trade }) => trade))];
  if (order === lots) lots.splice(0, gone.size);
  else lots.splice(0, lots.length, ...lots.filter((lot) => !gone.has(lot)));
  for (const trade of touched) {
    if (lots.some((lot) => lot.trade === trade)) continue;
    trade.closedAt = exit.at;
    trade.closedSeq = exit.seq;
    trade.exitReason = exit.reason;
  }
  return touched;
}

/** Lots in the order in which they are closed. */
function inOrder(lots: Lot[], named: Trade | null): Lot[] {
  if (named === null || lots.length < 2 || lots[0].trade === named) return lots;
  const [first, others] = [true, false].map((own) => lots.filter(({ trade }) => (trade === named) === own));
  return first.length === 0 ? lots : [...first, ...others];
}

function partsOf(lots: readonly Lot[], { quantity, all }: Exit): number[] {
  if (all) return lots.map((lot) => lot.quantity);
  const parts: number[] = [];
  let left = quantity;
  for (let k = 0; k < lots.length && left > 0; k++) {
    const part = Math.min(left, lots[k].quantity);
    parts.push(part);
    left = roundQuantity(left - part);
  }
  return parts;
}

/** Fees by kind for each of the weights. */
function feeShares(fees: Fees, weights: readonly number[]): Fees[] {
  const shares = weights.map((): Record<string, number> => ({}));
  for (const kind of Object.keys(fees)) {
    for (const [k, part] of shareOut(fees[kind], weights).entries()) shares[k][kind] = part;
  }
  return shares;
}

interface ExitPart {
  readonly part: number;
  readonly cost: number;
  readonly money: number;
  readonly fees: Fees;
  readonly ambiguous: boolean;
}

function takeExit(trade: TradeRow, { part, cost, money, fees, ambiguous }: ExitPart): void {
  trade.openQuantity = roundQuantity(trade.openQuantity - part);
  trade.openMicros -= cost;
  trade.exitMicros += money;
  trade.gross += signOf(trade) * (money - cost);
  trade.ambiguous ||= ambiguous;
  charge(trade, fees);
  price(trade);
}

/** Adds fees to a trade. */
export function charge(trade: TradeRow, fees: Fees): void {
  const sum: Record<string, number> = { ...trade.feesByKind };
  for (const kind of Object.keys(fees)) if (fees[kind] !== 0) sum[kind] = (sum[kind] ?? 0) + fees[kind];
  trade.feesByKind = sum;
  trade.fees += totalOf(fees);
}

/** What follows from the other figures of a trade. */
export function price(trade: TradeRow): void {
  const { quantity, openQuantity, entryMicros, exitMicros } = trade;
  const closed = roundQuantity(quantity - openQuantity);
  // Too little to be counted has the price that it had.
  if (quantity > 0) trade.entryPrice = averagePrice(entryMicros, quantity);
  trade.exitPrice = closed === 0 ? null : averagePrice(exitMicros, closed);
  trade.net = trade.gross - trade.fees + trade.dividends - trade.borrow;
}

function averagePrice(micros: number, quantity: number): number {
  return roundQuantity(fromMicros(micros) / quantity);
}

/**
 * Lots after a split: the ends of all that come one after the other are rounded, so that they sum to the position.
 * What trades had closed before counts in new units as well.
 */
export function splitLots(lots: readonly Lot[], ratio: number): void {
  const trades = new Set(lots.map(({ trade }) => trade));
  for (const trade of trades) {
    const closed = roundQuantity(trade.quantity - trade.openQuantity);
    trade.quantity = roundQuantity(closed * ratio);
    trade.openQuantity = 0;
  }
  let before = 0;
  let after = 0;
  for (const lot of lots) {
    before = roundQuantity(before + lot.quantity);
    const end = roundQuantity(before * ratio);
    lot.quantity = roundQuantity(end - after);
    after = end;
    lot.trade.quantity = roundQuantity(lot.trade.quantity + lot.quantity);
    lot.trade.openQuantity = roundQuantity(lot.trade.openQuantity + lot.quantity);
  }
  for (const trade of trades) price(trade);
}
