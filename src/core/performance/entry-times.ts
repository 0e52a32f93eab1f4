import { type DeskEvent, marketInstant } from "../execution/events.js";
import { createTrades } from "./trades.js";

/**
 * When an event of an account happened as its trades have it, told one by one from the first on: no earlier than what it
 * adds to, closes or pays for was opened. A bar that is walked late tells of an instant before what was opened meanwhile.
 * @returns epoch ms, the event's own instant but for such.
 */
export function createEntryTimes(): (event: DeskEvent) => number {
  const book = createTrades();
  const opened = new Map<string, number>();
  return (event) => {
    const changed = book.take(event);
    // A split or dividend is of its ex-day, by which it is applied once, however late it was told.
    const own = event.kind === "account" ? marketInstant(event) : event.at;
    const at = changed.reduce((latest, { id }) => Math.max(latest, opened.get(id) ?? latest), own);
    for (const { id } of changed) if (!opened.has(id)) opened.set(id, at);
    return at;
  };
}
