import { rateMicros, timesMicros, toMicros } from "./money.js";
import type { Side } from "./order.js";

/**
 * What a broker and an exchange take, as data. Rates are shares of the value traded, 0.001 for ten basis points; money
 * is in the account's currency. Minimums and caps hold for an order, over all its fills.
 */
export type Commission =
  | { readonly kind: "none" }
  | {
      readonly kind: "per_share";
      readonly amount: number;
      readonly minimum: number;
      /** Most of the order's value; null without a cap. */
      readonly maximumRate: number | null;
    }
  | { readonly kind: "percent"; readonly rate: number; readonly minimum: number }
  | { readonly kind: "maker_taker"; readonly makerRate: number; readonly takerRate: number }
  | IndianCharges;

/** Charges on options in India, item by item. */
export interface IndianCharges {
  readonly kind: "indian_options";
  /** Of the value, but no more than the cap an order. */
  readonly brokerageRate: number;
  readonly brokerageCap: number;
  /** Securities transaction tax, on sales. */
  readonly sttRate: number;
  readonly exchangeRate: number;
  /** On brokerage and exchange charges. */
  readonly gstRate: number;
  readonly sebiRate: number;
  /** On purchases. */
  readonly stampRate: number;
}

/** As on NSE; on BSE the exchange takes 0.0005. SEBI takes 10 in a crore. */
export const INDIAN_OPTIONS: IndianCharges = Object.freeze({
  kind: "indian_options",
  brokerageRate: 0.0005,
  brokerageCap: 20,
  sttRate: 0.000625,
  exchangeRate: 0.00053,
  gstRate: 0.18,
  sebiRate: 0.000001,
  stampRate: 0.00003,
});

/** Fees in micros by kind; kinds that take nothing are absent. */
export type Fees = Readonly<Record<string, number>>;

const NO_FEES: Fees = Object.freeze({});

/** What fills of an order add up to. */
export interface Traffic {
  readonly side: Side;
  readonly quantity: number;
  /** Price times quantity of them all, and of the one at hand. */
  readonly micros: number;
  readonly fillMicros: number;
  readonly maker: boolean;
}

/**
 * What an order owes after a fill. @param charged what its earlier fills were charged: where a fill is charged for
 * itself the sum goes on from there.
 */
export function feesOwed(commission: Commission, traffic: Traffic, charged: Fees): Fees {
  const { quantity, micros, fillMicros, maker } = traffic;
  switch (commission.kind) {
    case "none":
      return NO_FEES;
    case "per_share": {
      const least = Math.max(toMicros(commission.minimum), timesMicros(commission.amount, quantity));
      const most = commission.maximumRate === null ? least : rateMicros(micros, commission.maximumRate);
      return { commission: Math.min(least, most) };
    }
    case "percent":
      return { commission: percentOf(commission, micros) };
    case "maker_taker": {
      const rate = maker ? commission.makerRate : commission.takerRate;
      return { commission: (charged.commission ?? 0) + rateMicros(fillMicros, rate) };
    }
    case "indian_options":
      return indianFees(commission, traffic);
  }
}

/** What a percentage of a value comes to. */
export function percentOf(
  { rate, minimum }: Extract<Commission, { kind: "percent" }>,
  micros: number,
): number {
  return Math.max(toMicros(minimum), rateMicros(micros, rate));
}

function indianFees(rates: IndianCharges, { side, micros }: Traffic): Fees {
  const brokerage = Math.min(toMicros(rates.brokerageCap), rateMicros(micros, rates.brokerageRate));
  const exchange = rateMicros(micros, rates.exchangeRate);
  return {
    brokerage,
    exchange,
    gst: rateMicros(brokerage + exchange, rates.gstRate),
    sebi: rateMicros(micros, rates.sebiRate),
    ...(side === "sell"
      ? { stt: rateMicros(micros, rates.sttRate) }
      : { stamp: rateMicros(micros, rates.stampRate) }),
  };
}

/** What is owed and not yet charged. */
export function feesDue(owed: Fees, charged: Fees): Fees {
  const due: Record<string, number> = {};
  for (const kind of Object.keys(owed)) {
    const rest = owed[kind] - (charged[kind] ?? 0);
    if (rest !== 0) due[kind] = rest;
  }
  return due;
}

export function addFees(left: Fees, right: Fees): Fees {
  const sum: Record<string, number> = { ...left };
  for (const kind of Object.keys(right)) sum[kind] = (sum[kind] ?? 0) + right[kind];
  return sum;
}

export function totalOf(fees: Fees): number {
  let sum = 0;
  for (const kind of Object.keys(fees)) sum += fees[kind];
  return sum;
}
