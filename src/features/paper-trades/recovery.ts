import type { DeskEvent } from "../../core/execution/events.js";
import { rebuild } from "../../core/execution/state.js";
import { messageOf } from "../../platform/errors.js";
import type { Kept } from "./store.js";
import { legsOf } from "./writes.js";

/** Why an account is halted whose rows contradict its events; nothing but a hand in the database ends that. */
export const HALT_LEDGER = "ledger_disagrees";

/**
 * In what an account's events and what is kept of it differ, in words; nothing where they agree. Orders, positions, cash
 * and the sums of all books are computed from the events alone.
 */
export function disagreements(events: readonly DeskEvent[], kept: Kept): string[] {
  let state: ReturnType<typeof rebuild>;
  try {
    state = rebuild(events);
  } catch (error) {
    return [`events: ${messageOf(error)}`];
  }
  const found: string[] = [];
  const compare = (what: string, told: unknown, is: unknown) => {
    if (told !== is) found.push(`${what}: ${String(is)} is kept and ${String(told)} follows from the events`);
  };
  compare("cash", state.cash, kept.cash);
  const books = new Map<string, number>();
  let fills = 0;
  for (const event of events) {
    let sum = 0;
    for (const { account, micros } of legsOf(event)) {
      books.set(account, (books.get(account) ?? 0) + micros);
      sum += micros;
    }
    if (sum !== 0) found.push(`event ${event.seq}: its legs sum to ${sum}`);
    if (event.kind === "order" && "fill" in event) fills++;
  }
  compare("fills", fills, kept.fills);
  for (const name of new Set([...books.keys(), ...kept.books.keys()])) {
    compare(`book ${name}`, books.get(name) ?? 0, kept.books.get(name) ?? 0);
  }
  for (const id of new Set([...state.orders.keys(), ...kept.orders.keys()])) {
    compare(`order ${id}`, state.orders.get(id)?.state, kept.orders.get(id)?.state);
    compare(`order ${id}, filled`, state.orders.get(id)?.filled, kept.orders.get(id)?.filled);
  }
  for (const symbol of new Set([...state.positions.keys(), ...kept.positions.keys()])) {
    compare(
      `${symbol}, quantity`,
      state.positions.get(symbol)?.quantity,
      kept.positions.get(symbol)?.quantity,
    );
    compare(`${symbol}, cost`, state.positions.get(symbol)?.cost, kept.positions.get(symbol)?.cost);
  }
  return found;
}
