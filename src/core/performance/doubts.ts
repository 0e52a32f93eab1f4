import type { Fill } from "../execution/events.js";
import { roundQuantity } from "../execution/money.js";
import { type Lot, shareOut } from "./lots.js";
import type { Trade } from "./trade.js";

/**
 * What a trade would have gained more had each of its doubtful fills gone the best or the worst way, by itself and over
 * the quantity that was traded: 0 or more and 0 or less, micros.
 */
export interface Doubt {
  readonly optimistic: number;
  readonly pessimistic: number;
}

/** By trades with doubtful fills; null where one of these was told without what else it could have been. */
export type Doubts = Map<Trade, Doubt | null>;

/** Units of open trades, before some are closed. */
export function unitsOf(lots: readonly Lot[]): ReadonlyMap<Trade, number> {
  return new Map(lots.map(({ trade }) => [trade, trade.openQuantity]));
}

/**
 * Shares out the doubt of a fill by units: to those that it closed, and the rest to the trade that it opened, if any.
 * @param before units of open trades before it.
 */
export function noteDoubt(
  doubts: Doubts,
  fill: Fill,
  before: ReadonlyMap<Trade, number>,
  closed: readonly Trade[],
  opened: Trade | null,
  openedUnits: number,
): void {
  const shares: (readonly [Trade, number])[] = closed.map((trade) => [
    trade,
    roundQuantity((before.get(trade) ?? 0) - trade.openQuantity),
  ]);
  if (opened !== null) shares.push([opened, openedUnits]);
  const weights = shares.map(([, units]) => units);
  const best = shareOut(fill.optimisticMicros, weights);
  const worst = shareOut(fill.pessimisticMicros, weights);
  for (const [k, [trade]] of shares.entries()) {
    const known = doubts.get(trade);
    const { optimistic, pessimistic } = known ?? { optimistic: 0, pessimistic: 0 };
    const isKnown = known !== null && !isImported(fill);
    doubts.set(
      trade,
      isKnown ? { optimistic: optimistic + best[k], pessimistic: pessimistic + worst[k] } : null,
    );
  }
}

/** An import tells that the path decided on a fill, and not between which prices. */
function isImported({ id }: Fill): boolean {
  return id[id.lastIndexOf("|") + 1] === "t";
}
