import type { CalendarDefinition } from "./define.js";

/** Crypto: every UTC day is a session that meets the next without a break. */
export const ALWAYS: CalendarDefinition = {
  name: "Every day, around the clock",
  zone: "UTC",
  weekdays: [1, 2, 3, 4, 5, 6, 7],
  hours: [{ from: "1970-01-01", open: "00:00", close: "24:00" }],
  opensDayBefore: false,
  knownFrom: "1900-01-01",
  knownUntil: "2099-12-31",
  closures: () => [],
  specialHours: () => [],
};
