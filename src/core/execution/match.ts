import { roundToTick, type Traded, tickAt } from "./instrument.js";
import { type Order, wayOf } from "./order.js";

/**
 * How a price came to where an order began to work within a bar: `open` where it worked from the bar's open on,
 * `rose` and `fell` where an entry was reached from below or from above, `unknown` where even that is open.
 */
export type Path = "open" | "rose" | "fell" | "unknown";

/** The four prices of a bar. */
export interface Prices {
  open: number;
  high: number;
  low: number;
  close: number;
}

/** What a bar or a quote does to one order; written anew by each match. */
export interface Match {
  /** Fills at `price`, before costs. */
  fills: boolean;
  price: number;
  /** A settlement is at the last price of a market that does not trade. */
  reason: "market" | "limit" | "stop" | "settlement";
  maker: boolean;
  /** The stop's price was reached. */
  triggers: boolean;
  /** New best price of a trailing stop and its level; NaN where they stay. */
  extreme: number;
  level: number;
  /** Whether the path decides, and the prices of the best and the worst one. */
  ambiguous: boolean;
  optimistic: number;
  pessimistic: number;
  /** A limit that the bar reached, though perhaps too early; NaN otherwise. */
  unproven: number;
}

export function createMatch(): Match {
  return {
    fills: false,
    price: 0,
    reason: "market",
    maker: false,
    triggers: false,
    extreme: Number.NaN,
    level: Number.NaN,
    ambiguous: false,
    optimistic: 0,
    pessimistic: 0,
    unproven: Number.NaN,
  };
}

function clear(match: Match): void {
  match.fills = false;
  match.triggers = false;
  match.extreme = Number.NaN;
  match.level = Number.NaN;
  match.ambiguous = false;
  match.unproven = Number.NaN;
}

function fillAt(match: Match, price: number, reason: Match["reason"], maker: boolean): void {
  match.fills = true;
  match.price = price;
  match.reason = reason;
  match.maker = maker;
  match.optimistic = price;
  match.pessimistic = price;
}

/** Turns a doubtful match within a bar to the best or the worst that the path allows; one without doubt stays. */
export function settleDoubt({ type }: Pick<Order, "type">, way: "best" | "worst", match: Match): void {
  if (way === "worst") {
    if (match.ambiguous) fillAt(match, match.pessimistic, match.reason, match.maker);
  } else if (!Number.isNaN(match.unproven)) {
    fillAt(match, match.unproven, "limit", true);
    match.unproven = Number.NaN;
  } else if (match.ambiguous && match.optimistic !== match.price) {
    // At best a stop that may not have been met is not; a trailing one that moved before it was met fills where it stood then.
    const met = type === "trailing_stop" && Number.isNaN(match.level);
    if (met) fillAt(match, match.optimistic, match.reason, match.maker);
    else {
      match.fills = false;
      match.triggers = false;
    }
  }
  match.ambiguous = false;
}

/** Whether an order acts like a market or like a limit order now, or waits for its stop. */
export function actsAs({ type, triggeredAt }: Order): "market" | "limit" | "stop" {
  if (type === "market" || type === "limit") return type;
  if (triggeredAt === null) return "stop";
  return type === "stop_limit" ? "limit" : "market";
}

/**
 * One price at which anything could trade: an open, or a quote's side. Limits fill when they are met, at the price,
 * which may be better; stops that are reached fill at the price, which may be worse. @param trigger the price stops
 * look at.
 */
export function matchPrice(order: Order, price: number, trigger: number, match: Match): void {
  clear(match);
  const way = wayOf(order.side);
  const acts = actsAs(order);
  if (acts === "market") fillAt(match, price, order.type === "market" ? "market" : "stop", false);
  else if (acts === "limit") {
    if (way * ((order.limitPrice ?? 0) - price) >= 0) fillAt(match, price, "limit", order.rested);
  } else if (order.stopPrice !== null && way * (trigger - order.stopPrice) >= 0) {
    match.triggers = true;
    if (order.type !== "stop_limit") fillAt(match, price, "stop", false);
    else if (way * ((order.limitPrice ?? 0) - price) >= 0) fillAt(match, price, "limit", false);
  }
}

/** What is left of a bar after its open, or of it after an entry by `path`. The price at the open has been looked at. */
export function matchWithin(order: Order, bar: Prices, path: Path, match: Match): void {
  clear(match);
  const acts = actsAs(order);
  if (acts === "limit") matchLimit(order, bar, path, match);
  else if (acts === "stop" && order.type === "stop") matchStop(order, bar, path, match);
  else if (acts === "stop" && order.type === "stop_limit") matchStopLimit(order, bar, path, match);
}

/** Whether a price beyond the entry, `up` above it, was surely passed after the entry. */
function isCertain(price: number, up: boolean, close: number, path: Path): boolean {
  if (path === "open") return true;
  return up ? path === "rose" || close >= price : path === "fell" || close <= price;
}

function matchLimit(order: Order, bar: Prices, path: Path, match: Match): void {
  const limit = order.limitPrice ?? 0;
  const buys = order.side === "buy";
  if (buys ? bar.low > limit : bar.high < limit) return;
  if (isCertain(limit, !buys, bar.close, path)) fillAt(match, limit, "limit", true);
  else match.unproven = limit;
}

/** The stop first: reached at all is reached, and where that is not sure, the best is to go on to the close. */
function matchStop(order: Order, bar: Prices, path: Path, match: Match): void {
  const stop = order.stopPrice ?? 0;
  const buys = order.side === "buy";
  if (buys ? bar.high < stop : bar.low > stop) return;
  match.triggers = true;
  fillAt(match, stop, "stop", false);
  if (!isCertain(stop, buys, bar.close, path)) {
    match.ambiguous = true;
    match.optimistic = bar.close;
  }
}

function matchStopLimit(order: Order, bar: Prices, path: Path, match: Match): void {
  const limit = order.limitPrice ?? 0;
  const way = wayOf(order.side);
  matchStop(order, bar, path, match);
  if (!match.fills) return;
  const stop = match.price;
  if (way * (limit - stop) >= 0) return;
  // The price has to come back for the limit: sure where the bar closes there.
  match.fills = false;
  match.ambiguous = false;
  if (way * (limit - bar.close) >= 0) fillAt(match, limit, "limit", true);
  else if (way * (limit - (way > 0 ? bar.low : bar.high)) >= 0) match.unproven = limit;
}

/** The level of a trailing stop for its best price. */
export function trailLevel(
  order: Pick<Order, "side" | "trailAmount" | "trailPercent">,
  extreme: number,
  instrument: Traded,
): number {
  const way = wayOf(order.side);
  const distance = order.trailAmount ?? (extreme * (order.trailPercent ?? 0)) / 100;
  const level = extreme + way * distance;
  return roundToTick(level, tickAt(instrument, level), 0);
}

/** Moves a trailing stop to a price if it is the best yet; true where that moves it. */
export function matchTrail(order: Order, price: number, instrument: Traded, match: Match): boolean {
  clear(match);
  if (order.extreme !== null && wayOf(order.side) * (price - order.extreme) >= 0) return false;
  match.extreme = price;
  match.level = trailLevel(order, price, instrument);
  return true;
}

/**
 * A trailing stop after the open of a bar, which has moved it already. Reached where it stands, it fills there, though
 * the best price may have come first and have moved it. Reached only where the best price moves it to, it fills there:
 * the stop first; at worst it was reached on the way, at best it was not, or not before the close.
 */
export function matchTrailing(order: Order, bar: Prices, instrument: Traded, match: Match): void {
  clear(match);
  const way = wayOf(order.side);
  const level = order.stopPrice ?? 0;
  const best = way > 0 ? bar.low : bar.high;
  const worst = way > 0 ? bar.high : bar.low;
  const moves = order.extreme === null || way * (best - order.extreme) < 0;
  const moved = moves ? trailLevel(order, best, instrument) : level;
  if (way * (worst - level) >= 0) {
    match.triggers = true;
    fillAt(match, level, "stop", false);
    match.ambiguous = moved !== level;
    match.optimistic = moved;
    return;
  }
  if (!moves) return;
  match.extreme = best;
  match.level = moved;
  if (way * (worst - moved) < 0) return;
  match.triggers = true;
  fillAt(match, moved, "stop", false);
  const tick = tickAt(instrument, worst);
  match.pessimistic = roundToTick(worst, tick, way);
  match.optimistic = way * (bar.close - moved) < 0 ? bar.close : moved;
  match.ambiguous = match.pessimistic !== moved || match.optimistic !== moved;
}
