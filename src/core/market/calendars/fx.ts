import type { CalendarDefinition } from "./define.js";

/**
 * Spot foreign exchange: the day turns at 17:00 in New York, the week runs from Sunday 17:00 to Friday 17:00.
 * The interbank market has no holidays of its own; vendors differ over Christmas and New Year's Day, which
 * count as sessions here.
 */
export const FX: CalendarDefinition = {
  name: "Foreign exchange",
  zone: "America/New_York",
  weekdays: [1, 2, 3, 4, 5],
  hours: [{ from: "1971-01-01", open: "17:00", close: "17:00" }],
  opensDayBefore: true,
  knownFrom: "1971-01-01",
  knownUntil: "2099-12-31",
  closures: () => [],
  specialHours: () => [],
};
