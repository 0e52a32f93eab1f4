import { ALWAYS } from "./always.js";
import type { CalendarDefinition } from "./define.js";
import { FX } from "./fx.js";
import { XNSE } from "./xnse.js";
import { XNYS } from "./xnys.js";

/** Every exchange calendar. Exchanges are named by their ISO 10383 market identifier. */
export const CALENDARS = {
  XNYS,
  XNSE,
  "24x7": ALWAYS,
  FX,
} as const satisfies Readonly<Record<string, CalendarDefinition>>;

export type CalendarId = keyof typeof CALENDARS;
