/** What is said of a tick, by code: the place in this list. */
export const VERDICTS = [
  "accepted",
  "held",
  "late",
  "duplicate",
  "not_finite",
  "price_not_positive",
  "size_negative",
  "size_too_large",
  "outside_session",
  "from_the_future",
  "outlier",
  "price_too_large",
  "price_too_small",
] as const;
export type VerdictName = (typeof VERDICTS)[number];

export const ACCEPTED = 0;
/** Far from the tick before it: the next tick of its symbol says what becomes of it. */
export const HELD = 1;
/** Its bar is closed, or it is further behind the newest tick than is allowed. */
export const LATE = 2;
export const DUPLICATE = 3;
export const NOT_FINITE = 4;
export const PRICE_NOT_POSITIVE = 5;
export const SIZE_NEGATIVE = 6;
export const SIZE_TOO_LARGE = 7;
/** Outside regular hours, where these are asked for, or outside the years of the calendar. */
export const OUTSIDE_SESSION = 8;
export const FROM_THE_FUTURE = 9;
/** Far from the ticks on both sides of it, or held until its bar had to be closed. */
export const OUTLIER = 10;
/** Sums of what was paid would overflow. */
export const PRICE_TOO_LARGE = 11;
/** Of what is less, the doubles are too few for what was paid for a size. */
export const PRICE_TOO_SMALL = 12;
