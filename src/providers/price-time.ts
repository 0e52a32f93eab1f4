import { ProviderError } from "./define.js";

/** A price may be so much newer than the clock here. */
const CLOCK_TOLERANCE_MS = 120_000;

/** The time of a price, epoch ms. @throws {ProviderError} `bad_payload` for one of the future or of no time. */
export function requirePast(timeMs: number, nowMs: number): number {
  if (!Number.isFinite(timeMs)) throw new ProviderError("bad_payload", "the price is of no time");
  if (timeMs > nowMs + CLOCK_TOLERANCE_MS) {
    throw new ProviderError("bad_payload", "the price is of the future");
  }
  return timeMs;
}

/** A price that is told: null where the vendor sends none or 0 for none. */
export function priceOrNull(price: number | null | undefined): number | null {
  return typeof price === "number" && price > 0 && Number.isFinite(price) ? price : null;
}
