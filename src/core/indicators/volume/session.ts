import type { Parameter } from "../define.js";

const DAY_MS = 86_400_000;

/** Length of a session for the rows that begin anew with each. */
export const SESSION_DAYS: Parameter = {
  name: "days",
  kind: "integer",
  min: 1,
  max: 100_000,
  default: 1,
  description: "UTC days in a session: 1 begins anew at each midnight, 7 on Mondays",
};

/** Number of the session that a bar opening at `time` (epoch ms UTC) belongs to; day 0 is a Monday. */
export function sessionOf(time: number, days: number): number {
  return Math.floor((Math.floor(time / DAY_MS) + 3) / days);
}

/** Bars of `barMs` after which a session has begun; never where the length of a bar is not known. */
export function sessionSettle(days: number, barMs = 0): number {
  return barMs > 0 ? Math.ceil((days * DAY_MS) / barMs) : Number.POSITIVE_INFINITY;
}
