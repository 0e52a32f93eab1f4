import { assert } from "../base/assert.js";

/** What ends an order, and the state it then has. */
const ENDED = ["filled", "canceled", "expired", "replaced", "rejected"] as const;

/**
 * `accepted` waits for the market to open, `held` for the order it belongs to. The last five are terminal: nothing
 * leads out of them.
 */
export const ORDER_STATES = ["held", "accepted", "new", "partially_filled", ...ENDED] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export const ORDER_EVENTS = [
  /** Placed while the market is closed. */
  "accepted",
  /** Placed as a leg that waits. */
  "held",
  /** Placed in an open market, or the market opened. */
  "opened",
  /** Placed in the stead of one that was filled in part. */
  "continued",
  /** A leg begins to work. */
  "released",
  /** The price of a stop was reached. */
  "triggered",
  /** A trailing stop followed the price. */
  "trailed",
  /** A limit was not met by the first price it saw. */
  "rested",
  /** A leg follows what its parent or its sibling filled, or what else closed of its trade. */
  "resized",
  /** A split changed its prices and quantities. */
  "adjusted",
  /** Its price lay in the bar, but perhaps before its entry. */
  "unproven",
  "partially_filled",
  ...ENDED,
] as const;
export type OrderEventName = (typeof ORDER_EVENTS)[number];

type Row = Readonly<Partial<Record<OrderEventName, OrderState>>>;

const ENDS: Row = { canceled: "canceled", expired: "expired", replaced: "replaced", rejected: "rejected" };

function working(state: OrderState): Row {
  const same = ["triggered", "trailed", "rested", "resized", "adjusted", "unproven"] as const;
  return Object.freeze<Row>({
    ...Object.fromEntries(same.map((event) => [event, state])),
    partially_filled: "partially_filled",
    filled: "filled",
    ...ENDS,
  });
}

/** State and event to the state after; what is not there cannot happen. `none` is before an order is placed. */
export const TRANSITIONS: Readonly<Record<OrderState | "none", Row>> = Object.freeze({
  none: Object.freeze<Row>({
    accepted: "accepted",
    held: "held",
    opened: "new",
    continued: "partially_filled",
  }),
  held: Object.freeze<Row>({ released: "new", adjusted: "held", ...ENDS }),
  accepted: Object.freeze<Row>({ opened: "new", adjusted: "accepted", resized: "accepted", ...ENDS }),
  new: working("new"),
  partially_filled: working("partially_filled"),
  filled: Object.freeze<Row>({}),
  canceled: Object.freeze<Row>({}),
  expired: Object.freeze<Row>({}),
  replaced: Object.freeze<Row>({}),
  rejected: Object.freeze<Row>({}),
});

/** The state after an event. @throws AssertionError where the table has none. */
export function nextState(from: OrderState | null, event: OrderEventName): OrderState {
  const to = TRANSITIONS[from ?? "none"][event];
  assert(to !== undefined, `an order that is ${from ?? "not placed"} cannot be ${event}`);
  return to;
}

/** Whether nothing can happen to an order any more. */
export function isTerminal(state: OrderState): boolean {
  return (
    state === "filled" ||
    state === "canceled" ||
    state === "expired" ||
    state === "replaced" ||
    state === "rejected"
  );
}
