/** What one layer of a fused signal said when the trade was decided on; signed, in the direction of the score. */
export interface LayerShare {
  readonly name: string;
  readonly contribution: number;
}

/** What an order was placed for, as whoever placed it said; null for what was not said. */
export interface OrderCause {
  /** Chosen by the trader, or made for the order: unique in its account for ever. */
  readonly clientOrderId: string;
  /** Where it came in. */
  readonly origin: "native" | "alert" | "alpaca" | "close" | "leg" | "import";
  readonly alertId: number | null;
  readonly pattern: string | null;
  /** As the trader saw it, 0..1. */
  readonly confidence: number | null;
  readonly strategy: string | null;
  readonly model: string | null;
  /** Of the signal behind it, above 0 for rising prices. */
  readonly direction: 1 | -1 | null;
  readonly layers: readonly LayerShare[];
}

const UNSAID = {
  alertId: null,
  pattern: null,
  confidence: null,
  strategy: null,
  model: null,
  direction: null,
  layers: [],
} as const;

export function causeOf(
  clientOrderId: string,
  origin: OrderCause["origin"],
  given: Partial<OrderCause> = {},
): OrderCause {
  return { ...UNSAID, ...given, clientOrderId, origin };
}
