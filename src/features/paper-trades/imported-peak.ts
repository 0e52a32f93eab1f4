import { cashOf, worthOf } from "../../core/execution/account.js";
import type { DeskEvent } from "../../core/execution/events.js";
import type { DeskState } from "../../core/execution/state.js";
import { dayStart, zoneOfAccount } from "./account-day.js";
import type { Peak } from "./peaks.js";

/** The peak of the last day of events, as far as they tell it. */
export interface ImportedPeak {
  /** @param state after the event. */
  take(event: DeskEvent, state: Readonly<DeskState>): void;
  /** Null where they do not tell any. */
  peak(): Peak | null;
}

/**
 * What an account is worth after each event of its last day, at the prices of the fills of that day. While it holds what was
 * not traded that day, nobody tells what it is worth. What is paid in or out moves the peak along: it is no gain or loss.
 */
export function createImportedPeak(currency: string, lastAt: number): ImportedPeak {
  const startMs = dayStart(zoneOfAccount(currency), lastAt);
  const prices = new Map<string, number>();
  let highest = Number.NEGATIVE_INFINITY;

  function worth({ cash, positions }: Readonly<DeskState>): number | null {
    let sum = cash;
    for (const { symbol, quantity } of positions.values()) {
      const price = prices.get(symbol);
      if (price === undefined) return null;
      sum += worthOf(quantity, price);
    }
    return sum;
  }

  return {
    take(event, state) {
      if (event.at < startMs) return;
      if (event.kind === "order" && "fill" in event) prices.set(event.symbol, event.fill.price);
      else if (event.event === "transferred") highest += cashOf(event.legs);
      else if (event.event === "split" && event.symbol !== null) {
        const price = prices.get(event.symbol);
        if (price !== undefined) prices.set(event.symbol, price / Number(event.facts.ratio));
      }
      // An order that is placed moves nothing.
      if (event.kind === "order" && !("fill" in event)) return;
      highest = Math.max(highest, worth(state) ?? highest);
    },
    peak: () => (Number.isFinite(highest) ? { startMs, micros: highest } : null),
  };
}
