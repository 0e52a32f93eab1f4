import { z } from "zod";
import { JOB_TOPIC } from "../../platform/jobs.js";
import { alertSchema } from "../alerts/schema.js";
import { ALERT_TOPIC, SCAN_TOPIC } from "../alerts/topics.js";
import { candleListSchema, candleSchema, quoteSchema } from "../candles/schema.js";
import { callSchema } from "../hooks/schema.js";
import { HOOK_TOPIC } from "../hooks/topics.js";
import { jobSchema } from "../jobs/schema.js";
import { MODEL_TOPIC } from "../models/topics.js";
import { NOTIFICATION_TOPIC } from "../notifications/socket.js";
import { orderSchema, portfolioSchema } from "../paper-trades/schema.js";
import { ACCOUNT_TOPIC } from "../paper-trades/topics.js";
import { barSchema, decisionSchema, synergySchema } from "../pipeline/schema.js";
import { BAR_TOPIC, DECISION_TOPIC, SYNERGY_TOPIC } from "../pipeline/topics.js";
import { foundSchema } from "../quality/schema.js";
import { QUALITY_TOPIC } from "../quality/topics.js";
import { readingSchema } from "../regimes/schema.js";
import { firingSchema } from "../rules/schema.js";
import { RULE_TOPIC } from "../rules/topics.js";

/** A kind of topic: how it is written, whether it can be resumed, and what its events carry. */
export interface TopicKind {
  readonly name: string;
  readonly form: string;
  /** True when events are numbered and kept, so that a subscriber can ask for those it missed. */
  readonly kept: boolean;
  /** Whose it is: everybody's who may read, or of the one whose job or account it is. */
  readonly audience: "readers" | "owner";
  readonly description: string;
  /** What the `data` of an event is. */
  readonly payload: z.ZodType;
  /** What the `data` of a snapshot is; null where there is none. */
  readonly snapshot: z.ZodType | null;
}

export const CANDLE_TOPIC = "candles";
export const QUOTE_TOPIC = "quotes";
export const REGIME_TOPIC = "regimes";
export const PORTFOLIO_TOPIC = "portfolio";
const SYMBOL = "SYMBOL:INTERVAL";

const origin = { source: z.string().nullable(), synthetic: z.boolean() };
const shared = { kept: true, audience: "readers" } as const;
/** Told now and nothing later: what is missed is in the next snapshot. */
const passing = { kept: false, audience: "readers" } as const;

export const TOPICS: readonly TopicKind[] = Object.freeze([
  {
    ...shared,
    name: ALERT_TOPIC,
    form: ALERT_TOPIC,
    description: "Alerts as they are raised and answered; the snapshot has the active ones",
    payload: z.object({ kind: z.enum(["created", "updated"]), alert: alertSchema }),
    snapshot: z.array(alertSchema),
  },
  {
    ...shared,
    name: SCAN_TOPIC,
    form: SCAN_TOPIC,
    description: "Scans as they finish",
    payload: z.looseObject({
      kind: z.literal("finished"),
      id: z.number().int(),
      slot: z.iso.datetime(),
      duration_ms: z.number(),
      synthetic: z.boolean(),
    }),
    snapshot: null,
  },
  {
    ...shared,
    name: QUALITY_TOPIC,
    form: QUALITY_TOPIC,
    description: "Findings in data, as they are found",
    payload: z.looseObject({ code: foundSchema.shape.code, severity: foundSchema.shape.severity, ...origin }),
    snapshot: null,
  },
  {
    ...passing,
    name: CANDLE_TOPIC,
    form: `${CANDLE_TOPIC}:${SYMBOL}`,
    description: "Bars of a symbol as they close, scanned or not; the snapshot has the last hundred",
    payload: candleSchema.extend(origin),
    snapshot: candleListSchema,
  },
  {
    ...passing,
    name: QUOTE_TOPIC,
    form: `${QUOTE_TOPIC}:SYMBOL`,
    description: "The quote of a symbol, when it changes",
    payload: quoteSchema,
    snapshot: quoteSchema,
  },
  {
    ...passing,
    name: REGIME_TOPIC,
    form: `${REGIME_TOPIC}:${SYMBOL}`,
    description: "The regime of a symbol, when a bar that closes changes it",
    payload: readingSchema,
    snapshot: readingSchema,
  },
  {
    ...passing,
    name: BAR_TOPIC,
    form: `${BAR_TOPIC}:${SYMBOL}`,
    description: "Bars made of ticks, as they close",
    payload: barSchema.extend({ told_at: z.iso.datetime() }),
    snapshot: null,
  },
  {
    ...shared,
    name: SYNERGY_TOPIC,
    form: SYNERGY_TOPIC,
    description: "Synergies as they are complete",
    payload: synergySchema,
    snapshot: null,
  },
  {
    ...shared,
    name: DECISION_TOPIC,
    form: DECISION_TOPIC,
    description:
      "What the rule made of synergies, with the first rule that refused; and again what became of an order",
    payload: decisionSchema,
    snapshot: null,
  },
  {
    ...shared,
    name: MODEL_TOPIC,
    form: MODEL_TOPIC,
    description: "Versions of models as they are tried, promoted, taken back and retired",
    payload: z.object({
      kind: z.string(),
      model: z.looseObject({
        id: z.number().int(),
        version: z.string(),
        learner: z.string(),
        hash: z.string(),
      }),
    }),
    snapshot: null,
  },
  {
    kept: true,
    audience: "owner",
    name: JOB_TOPIC,
    form: `${JOB_TOPIC}:ID`,
    description: "States of a job of one's own; the snapshot is the present one",
    payload: jobSchema,
    snapshot: jobSchema,
  },
  {
    kept: true,
    audience: "owner",
    name: ACCOUNT_TOPIC,
    form: `${ACCOUNT_TOPIC}:ID`,
    description:
      "What happens to the orders, positions and money of a paper account of one's own; the snapshot has its open orders",
    payload: z.looseObject({ kind: z.string(), at: z.number() }),
    snapshot: z.array(orderSchema),
  },
  {
    kept: true,
    audience: "owner",
    name: RULE_TOPIC,
    form: `${RULE_TOPIC}:USER`,
    description: "Firings of one's own rules, and digests of those that were held",
    payload: z.union([
      firingSchema.extend({ kind: z.literal("fired") }),
      z.object({ kind: z.literal("digest"), count: z.number().int(), firings: z.array(firingSchema) }),
    ]),
    snapshot: null,
  },
  {
    kept: true,
    audience: "owner",
    name: HOOK_TOPIC,
    form: `${HOOK_TOPIC}:ID`,
    description: "What became of the calls of a hook of one's own that raises notices or places orders",
    payload: callSchema,
    snapshot: null,
  },
  {
    kept: true,
    audience: "owner",
    name: NOTIFICATION_TOPIC,
    form: `${NOTIFICATION_TOPIC}:ID`,
    description: "What a websocket channel of one's own tells of; one id may come twice",
    payload: z.object({
      id: z.uuid().describe("Of the delivery"),
      type: z.string(),
      timestamp: z.iso.datetime(),
      data: z.unknown(),
    }),
    snapshot: null,
  },
  {
    kept: false,
    audience: "owner",
    name: PORTFOLIO_TOPIC,
    form: `${PORTFOLIO_TOPIC}:ID`,
    description: "What a paper account of one's own holds and is worth, when it changes",
    payload: portfolioSchema,
    snapshot: portfolioSchema,
  },
]);

/** Why what was replayed is not all that was missed: nothing of it is kept, the oldest is no longer, or more is to be asked for. */
export const GAPS = Object.freeze(["not_kept", "forgotten", "more"] as const);
export type Gap = (typeof GAPS)[number];

/** The kind that a topic is of; null for what is no topic. */
export function kindOf(topic: string): TopicKind | null {
  const [name] = topic.split(":");
  return TOPICS.find((kind) => kind.name === name) ?? null;
}

/** Whether events of a topic are numbered and kept. */
export function isKept(topic: string): boolean {
  return kindOf(topic)?.kept ?? false;
}

/** What stands behind the name of a topic. */
export function partsOf(topic: string): readonly string[] {
  return topic.split(":").slice(1);
}
