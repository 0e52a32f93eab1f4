export const INTERVALS = ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"] as const;

/** Length of a bar. Intraday bars have a fixed length; `1d` and `1w` follow the sessions of the exchange. */
export type Interval = (typeof INTERVALS)[number];

const MINUTE = 60_000;

/** Nominal length in ms; for `1d` and `1w` the calendar length, not the trading time. */
export const INTERVAL_MS: Readonly<Record<Interval, number>> = {
  "1m": MINUTE,
  "5m": 5 * MINUTE,
  "15m": 15 * MINUTE,
  "30m": 30 * MINUTE,
  "1h": 60 * MINUTE,
  "4h": 240 * MINUTE,
  "1d": 1_440 * MINUTE,
  "1w": 10_080 * MINUTE,
};

/** Spellings that existing clients and vendors use. */
const ALIASES: Readonly<Record<string, Interval>> = {
  "1min": "1m",
  "5min": "5m",
  "15min": "15m",
  "30min": "30m",
  "60m": "1h",
  "60min": "1h",
  "1hour": "1h",
  hourly: "1h",
  "240m": "4h",
  "1day": "1d",
  day: "1d",
  daily: "1d",
  "1wk": "1w",
  "1week": "1w",
  weekly: "1w",
};

export function isInterval(text: string): text is Interval {
  return (INTERVALS as readonly string[]).includes(text);
}

/** The interval a text names, any case and common spelling (`60m`, `1D`, `1wk`), or null: `1M` is a month. */
export function parseInterval(text: string): Interval | null {
  const trimmed = text.trim();
  if (/^\d*M$/.test(trimmed)) return null;
  const lower = trimmed.toLowerCase();
  if (isInterval(lower)) return lower;
  return Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : null;
}

export function isIntraday(interval: Interval): boolean {
  return interval !== "1d" && interval !== "1w";
}
