import type { Cause } from "../../core/performance/cause.js";

/** What an order was placed for, as whoever placed it said; null for what was not said. */
export interface OrderCause extends Cause {
  /** Chosen by the trader, or made for the order: unique in its account for ever. */
  readonly clientOrderId: string;
  /** Where it came in. */
  readonly origin: "native" | "alert" | "alpaca" | "close" | "leg" | "import";
  readonly alertId: number | null;
  /** As the trader saw it, 0..1. */
  readonly confidence: number | null;
}

export function causeOf(
  clientOrderId: string,
  origin: OrderCause["origin"],
  given: Partial<OrderCause> = {},
): OrderCause {
  const { alertId = null, pattern = null, confidence = null, strategy = null } = given;
  const { model = null, direction = null, layers = [] } = given;
  return { clientOrderId, origin, alertId, pattern, confidence, strategy, model, direction, layers };
}
