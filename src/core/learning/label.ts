import { assert } from "../base/assert.js";
import { barClose } from "../market/bar-times.js";
import type { Candles } from "../market/candles.js";
import type { Calendar } from "../market/session.js";
import { settleHorizon, settlePlan } from "../signals/settlement.js";
import { isHit, type TradeEnd, type TradePlan } from "../signals/trade.js";

/**
 * Where a label comes from: a stored or replayed pattern, an alert, what a user said of one, and an outcome that an account
 * or client logged.
 */
export const LABEL_SOURCES = ["detection", "alert", "feedback", "outcome_log"] as const;
export type LabelSource = (typeof LABEL_SOURCES)[number];

/**
 * How an outcome becomes a number. `barriers`: 1 where the target of the plan came before its stop and its time (triple
 * barrier; M. López de Prado, Advances in Financial Machine Learning 2018, chapter 3) and gained after costs. `horizon`:
 * 1 where the trade, closed after so many bars whatever came before, gained after costs.
 */
export type LabelPolicy = { readonly kind: "barriers" } | { readonly kind: "horizon"; readonly bars: number };

/** `barriers`, `horizon:20`. @throws AssertionError for a horizon that is no number of bars. */
export function policyKey(policy: LabelPolicy): string {
  if (policy.kind === "barriers") return policy.kind;
  assert(Number.isInteger(policy.bars) && policy.bars >= 1, "a horizon is a number of bars");
  return `horizon:${policy.bars}`;
}

/** What is labelled: the trade that was planned on it. */
export interface LabelSubject {
  readonly source: "detection" | "alert";
  /** Unique among those of its source. */
  readonly id: string;
  readonly plan: TradePlan;
}

export interface Label {
  /** The same for the same subject and policy, so that it is stored once however often it is made. */
  readonly id: string;
  readonly source: LabelSource;
  readonly subject: string;
  /** `policyKey`, or `stated`. */
  readonly policy: string;
  readonly value: 0 | 1;
  /** Close of the bar of the signal, and of the one that settled it, epoch ms. */
  readonly decidedAt: number;
  readonly settledAt: number;
  /** After costs, as a share of the entry, and in units of the planned risk; null where whoever stated it did not say. */
  readonly gain: number | null;
  readonly r: number | null;
  readonly end: TradeEnd | "stated";
  /** One bar held both stop and target, so that the stop was assumed. */
  readonly ambiguous: boolean;
}

/** A label with the bar that settled it; void where there was no trade; open while the bars do not tell. */
export type Labelling =
  | { readonly status: "settled"; readonly label: Label; readonly exitAt: number }
  | { readonly status: "void" | "open"; readonly label: null };

const OPEN: Labelling = Object.freeze({ status: "open", label: null });
const VOID: Labelling = Object.freeze({ status: "void", label: null });

/** Unique to a subject of a source and a policy, whatever letters the subject has. */
export function labelId(source: LabelSource, subject: string, policy: string): string {
  return JSON.stringify([source, subject, policy]);
}

/**
 * The label of a planned trade: entered at the next open, stop first within a bar, gaps filled at the open. It reads no
 * bar after the one that settles it, so that more bars never change it.
 * @param candles closed bars alone; the plan counts them.
 */
export function labelPlan(
  candles: Candles,
  calendar: Calendar,
  { source, id, plan }: LabelSubject,
  policy: LabelPolicy,
): Labelling {
  const key = policyKey(policy);
  const settlement =
    policy.kind === "barriers"
      ? settlePlan(candles, plan)
      : settleHorizon(candles, { ...plan, horizon: policy.bars });
  if (settlement === null) return OPEN;
  const { end, exitAt, gain, r, ambiguous } = settlement;
  if (gain === null) return VOID;
  const { entry, exit } = settlement;
  const good =
    policy.kind === "barriers" ? isHit({ end, exitAt, entry, exit, r: r ?? 0, ambiguous }) : gain > 0;
  const closeOf = (at: number) => barClose(calendar, candles.interval, candles.time[at]);
  return {
    status: "settled",
    exitAt,
    label: {
      id: labelId(source, id, key),
      source,
      subject: id,
      policy: key,
      value: good ? 1 : 0,
      decidedAt: closeOf(plan.at),
      settledAt: closeOf(exitAt),
      gain,
      r,
      end,
      ambiguous,
    },
  };
}

/** What somebody said of a decision, rather than bars. */
export interface StatedOutcome {
  readonly source: "feedback" | "outcome_log";
  readonly subject: string;
  readonly good: boolean;
  readonly decidedAt: number;
  /** When it was said, epoch ms: nothing may learn from it before. */
  readonly statedAt: number;
  readonly gain?: number;
  readonly r?: number;
}

/** The label of what was stated. @throws AssertionError where it was stated before the decision. */
export function statedLabel({ source, subject, good, decidedAt, statedAt, gain, r }: StatedOutcome): Label {
  assert(statedAt > decidedAt, `${subject} was judged before it was decided`);
  return {
    id: labelId(source, subject, "stated"),
    source,
    subject,
    policy: "stated",
    value: good ? 1 : 0,
    decidedAt,
    settledAt: statedAt,
    gain: gain ?? null,
    r: r ?? null,
    end: "stated",
    ambiguous: false,
  };
}
