import type { Fees } from "./commission.js";
import type { Order } from "./order.js";
import type { OrderEventName, OrderState } from "./states.js";

/**
 * What a desk says. Events carry all that a store needs, in one running sequence from 1, and the state follows from
 * them alone. Money in micros, instants in epoch ms. An event at the open of a bar is of that instant; one within a
 * bar or at its close, whose instant nobody knows, of the bar's end.
 */
export type DeskEvent = OrderEvent | AccountEvent;

interface Numbered {
  readonly seq: number;
  readonly at: number;
  /** The instant of the market, where it is before that of an event told earlier and `at` is not: `marketInstant`. */
  readonly of?: number;
}

/** When something happened in its market, whenever it was told; epoch ms. */
export function marketInstant({ at, of }: Pick<DeskEvent, "at" | "of">): number {
  return of ?? at;
}

export type OrderEvent = Numbered & {
  readonly kind: "order";
  readonly orderId: string;
  readonly symbol: string;
  readonly from: OrderState | null;
  readonly to: OrderState;
} & OrderChange;

export type OrderChange =
  | {
      readonly event: "accepted" | "held" | "opened" | "continued";
      /** The order as it was placed; null where one that was accepted opens. */
      readonly order: Readonly<Order> | null;
    }
  | { readonly event: "released"; readonly quantity: number; readonly activeFrom: number }
  | { readonly event: "triggered" | "rested" }
  | { readonly event: "trailed"; readonly extreme: number; readonly stopPrice: number }
  | { readonly event: "resized"; readonly quantity: number }
  | ({ readonly event: "adjusted" } & Adjustment)
  | {
      readonly event: "unproven";
      readonly price: number;
      /** What the account would have more at the bar's close, had it been filled. */
      readonly optimisticMicros: number;
    }
  | FilledChange
  | { readonly event: "canceled" | "expired" | "rejected"; readonly reason: string }
  | { readonly event: "replaced"; readonly by: string };

export interface FilledChange {
  readonly event: "partially_filled" | "filled";
  readonly fill: Fill;
  /** Still put aside for the rest of the order. */
  readonly reserved: number;
  readonly legs: readonly Leg[];
}

/** What a split or a dividend makes of an order. */
export interface Adjustment {
  /** Absent in events of before dividends lowered orders: a split. */
  readonly cause?: "split" | "dividend";
  readonly quantity: number;
  readonly filled: number;
  readonly closing: number;
  readonly limitPrice: number | null;
  readonly stopPrice: number | null;
  readonly trailAmount: number | null;
  readonly extreme: number | null;
}

export type FillReason = "market" | "limit" | "stop" | "auction" | "settlement";
export type FillMoment = "open" | "within" | "close" | "quote";

export interface Fill {
  /**
   * Order and bar or quote, in which an order fills once: the same fill has the same id wherever it is computed, and a
   * store can refuse it twice.
   */
  readonly id: string;
  readonly price: number;
  readonly quantity: number;
  /** Price times quantity. */
  readonly micros: number;
  readonly liquidity: "maker" | "taker";
  readonly reason: FillReason;
  readonly moment: FillMoment;
  readonly fees: Fees;
  /** The path within the bar decides whether it was so. */
  readonly ambiguous: boolean;
  /**
   * Prices of the best and of the worst path; where that is not to be filled at all, the bar's close. Equal to the
   * price unless ambiguous.
   */
  readonly optimistic: number;
  readonly pessimistic: number;
  /** What the account would have more at these, 0 or more and 0 or less. */
  readonly optimisticMicros: number;
  readonly pessimisticMicros: number;
  /** Realised by what it closed, before fees. */
  readonly gain: number;
  /** The position and the cash after it. */
  readonly position: Holding;
  readonly cash: number;
  /** Of a fill that opens something and leaves cash below 0: the account's equity after it, by which it may owe that. */
  readonly equity?: number;
}

/** Quantity and total cost, both negative for a short position. */
export interface Holding {
  readonly quantity: number;
  readonly cost: number;
}

/**
 * One side of a posting: debit above 0, credit below, and the legs of an event sum to 0. Accounts are `cash`,
 * `capital`, `interest` and, with what comes after a colon, `position:`, `gain:`, `dividend:`, `borrow:` and a symbol,
 * `fee:` and a kind.
 */
export interface Leg {
  readonly account: string;
  readonly micros: number;
}

export type AccountEventName =
  | "transferred"
  | "dividend"
  | "borrow"
  | "interest"
  | "split"
  | "delisted"
  | "margin_called";

export type AccountEvent = Numbered & {
  readonly kind: "account";
  readonly event: AccountEventName;
  readonly symbol: string | null;
  readonly legs: readonly Leg[];
  /** The position after it, where it changed. */
  readonly position: Holding | null;
  readonly facts: Readonly<Record<string, number | string>>;
};

export type { OrderEventName };
