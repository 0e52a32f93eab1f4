/** A number with the digits that matter: `1.08412`, `42,315`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  return Math.abs(value) >= 10_000
    ? Math.round(value).toLocaleString("en-US")
    : String(Number(value.toPrecision(6)));
}

/** A price or a count as it is spoken of; `unknown` for none. */
export function known(value: number | null): string {
  return value === null ? "unknown" : figure(value);
}

/** A share of one in percent, one decimal. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;
export const ACTIONS = { 1: "BUY", 0: "WATCH", [-1]: "SELL" } as const;
