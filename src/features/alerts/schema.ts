import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { TRIGGER_GATES } from "../../core/rules/trigger.js";
import { BADGES } from "../../core/signals/badge.js";
import { instantText, wholeNumberText } from "../../platform/http.js";
import { toldFields } from "../models/told.js";
import { layerFields } from "./layers.js";
import { RULES } from "./rules.js";

const price = z.number().nullable();
const time = z.iso.datetime();
const symbolText = z.string().min(1).max(40);

export const STATUSES = ["active", "accepted", "dismissed", "snoozed"] as const;

export const alertSchema = z
  .object({
    id: z.number().int(),
    symbol: z.string(),
    alert_type: z.string().describe("Title of the pattern"),
    message: z.string(),
    confidence: z.number().nullable().describe("Measured hit rate, 0..1; null while there is no evidence"),
    confidence_pct: z.number().nullable().describe("The same in percent"),
    score: z.number().describe("What was compared with the threshold, 0..1"),
    score_basis: z.enum(["confidence", "quality"]),
    quality_badge: z.enum(BADGES),
    direction: z.enum(["bullish", "bearish", "neutral"]),
    pattern: z.string(),
    interval: z.enum(INTERVALS),
    price: z.number().describe("Close of the bar"),
    bar_time: time,
    closed_at: time,
    timestamp: time.describe("When the alert was raised"),
    is_active: z.boolean(),
    status: z.enum(STATUSES),
    snoozed_until: time.nullable(),
    source: z.string(),
    synthetic: z.boolean(),
    detection_id: z.number().int(),
    ...toldFields,
    metadata: z.object({
      timeframe: z.string(),
      explanation: z.string(),
      suggested_action: z.enum(["BUY", "SELL", "WATCH"]),
      confidence_pct: z.number().nullable(),
      risk_suggestions: z
        .object({ entry: z.number(), stop_loss: z.number(), take_profit: z.number(), rr: z.number() })
        .nullable()
        .describe("Null for patterns without direction"),
      ml_enhanced: z.boolean().describe("Whether a model scored the pattern when it was seen"),
      quality_badge: z.enum(BADGES),
      response_action: z.enum(["buy", "sell", "watch"]).nullable(),
      timestamp_eat: z.string().describe("The time of the alert in East Africa, UTC+3"),
    }),
  })
  .meta({ id: "Alert" });

export const verdictSchema = z.object({
  rule: z.enum(RULES),
  passed: z.boolean(),
  description: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]).nullable(),
  limit: z.union([z.number(), z.string(), z.boolean()]).nullable(),
});

export const outcomeSchema = z
  .object({
    policy: z
      .enum(["sltp", "horizon"])
      .describe("sltp: by stop, target and time; horizon: after a number of bars"),
    terms: z.string().describe("Parameters of the policy"),
    ending: z
      .enum(["target", "stop", "time", "void", "unsettled"])
      .describe("void: the next open lay beyond stop or target"),
    outcome: z.enum(["profit", "loss", "breakeven"]).nullable().describe("After costs"),
    reason: z.string().nullable().describe("Why it is void or unsettled"),
    entry: price.describe("The open of the next bar, on the scale that prices had at the alert"),
    exit: price,
    entered_at: time.nullable().describe("Open of the bar of the entry"),
    exited_at: time.nullable().describe("Open of the bar of the exit"),
    bars_held: z.number().int().nullable(),
    cost_bps: price.describe("In and out together, of the entry"),
    gain: price.describe("After costs, as a share of the entry"),
    r: price.describe("After costs, in units of the planned risk"),
    mfe: price.describe("Furthest with the trade, in units of the planned risk"),
    mae: price.describe("Furthest against it"),
    ambiguous: z.boolean().describe("One bar held both stop and target; the stop was assumed"),
    settled_at: time.describe("From when on it could be known"),
  })
  .meta({ id: "AlertOutcome" });

export const alertDetailSchema = alertSchema
  .extend({
    outcome: outcomeSchema.nullable().describe("By stop, target and time; null until it is settled"),
    outcomes: z.array(outcomeSchema).describe("By every policy that has settled it"),
    ...layerFields,
    verdicts: z.array(verdictSchema),
    historical_accuracy: z.object({
      accuracy: z.number().nullable(),
      sample_size: z.number().int().nullable(),
      reason: z.string().nullable(),
    }),
  })
  .meta({ id: "AlertDetail" });

const GATES = [...RULES, ...TRIGGER_GATES] as const;
const GATES_OF: Readonly<Record<"patterns" | "rules", readonly (typeof GATES)[number][]>> = {
  patterns: RULES,
  rules: TRIGGER_GATES,
};
const gateSchema = verdictSchema.extend({ rule: z.enum(GATES) });

export const decisionSchema = z
  .object({
    id: z.number().int(),
    symbol: z.string(),
    interval: z.string(),
    pattern: z.string().nullable().describe("Null where a rule of the caller was decided about"),
    rule_id: z.uuid().nullable().describe("The rule of the caller; null for patterns"),
    rule_name: z.string().nullable(),
    bar_time: time.describe("Open of the bar; of a rule whose bars cannot be had, when it looked for them"),
    accepted: z.boolean(),
    rule: z.enum(GATES).nullable().describe("First gate that refused"),
    verdicts: z.array(gateSchema),
    decided_at: time,
  })
  .meta({ id: "Decision" });

const winsAndLosses = { wins: z.number().int(), losses: z.number().int(), win_rate: price };
export const outcomeCountsSchema = z.object({
  basis: z.literal("reported").describe("What wins, losses and win_rate count: what users told of trades"),
  ...winsAndLosses,
  settled: z
    .object({
      ...winsAndLosses,
      break_evens: z.number().int(),
      voids: z.number().int(),
      unsettled: z.number().int(),
      mean_r: price,
    })
    .describe("Alerts settled in the window by stop, target and time, after costs"),
});

export const statisticsSchema = z
  .object({
    window_days: z.number().int(),
    total: z.number().int(),
    active: z.number().int(),
    dismissed: z.number().int(),
    accepted: z.number().int(),
    snoozed: z.number().int(),
    by_type: z.array(
      z.object({ type: z.string(), pattern: z.string(), count: z.number().int(), avg_score: price }),
    ),
    by_symbol: z.array(z.object({ symbol: z.string(), count: z.number().int() })),
    avg_confidence: price,
    avg_score: price,
    outcomes: outcomeCountsSchema,
  })
  .meta({ id: "AlertStatistics" });

export const paginationSchema = z.object({
  limit: z.number().int(),
  offset: z.number().int(),
  total: z.number().int(),
});

const AFTER = { path: ["to"], message: "must not lie before `from`" };
function isAscending({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean {
  return from === undefined || to === undefined || from <= to;
}

const page = {
  limit: wholeNumberText(1, 500).prefault("50"),
  offset: wholeNumberText(0, 1_000_000).prefault("0"),
};
export const alertParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });
export const alertsQuery = z.strictObject({
  ...page,
  symbol: symbolText.optional(),
  quality: z.enum(BADGES).optional(),
  status: z.enum(STATUSES).optional(),
});
export const historyQuery = z
  .strictObject({
    ...page,
    symbol: symbolText.optional(),
    status: z.enum(STATUSES).optional(),
    from: instantText.optional(),
    to: instantText.optional(),
  })
  .refine(isAscending, AFTER);
export const windowQuery = z.strictObject({
  window: wholeNumberText(1, 365).prefault("30").describe("Days"),
});
export const decisionsQuery = z
  .strictObject({
    of: z
      .enum(["patterns", "rules"])
      .default("patterns")
      .describe("patterns: what the scanner saw; rules: the caller's own, each with ids of their own"),
    limit: wholeNumberText(1, 500).prefault("50"),
    before: wholeNumberText(1, Number.MAX_SAFE_INTEGER).optional().describe("Ids below this: the next page"),
    symbol: symbolText.optional(),
    pattern: z.string().max(60).optional().describe("Of patterns alone"),
    rule_id: z.uuid().optional().describe("Of rules alone"),
    interval: z.enum(INTERVALS).optional(),
    rule: z
      .enum(GATES)
      .optional()
      .describe("First gate that refused; gates of patterns are others than those of rules"),
    accepted: z
      .enum(["true", "false"])
      .transform((text) => text === "true")
      .optional(),
    from: instantText.optional(),
    to: instantText.optional(),
  })
  .refine(isAscending, AFTER)
  .refine(({ of, rule }) => rule === undefined || GATES_OF[of].includes(rule), {
    message: "is no gate that decisions of this kind pass: see `of`",
    path: ["rule"],
  });
export const dismissBody = z.strictObject({ reason: z.string().max(500).optional() }).optional();

const alertId = z.union([
  z.number().int().positive(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
const answers = z.enum(["accept", "dismiss", "snooze"]);
const actions = z.enum(["buy", "sell", "watch"]);
const isAnswer = (action: string | undefined) => answers.safeParse(action).success;
/** A week. */
const MOST_SNOOZE_MINUTES = 10_080;

/**
 * Clients say what they answer in `response`, or in `action`, which else says what they do about it. Whoever dismisses an alert
 * neither buys nor sells on it.
 */
export const responseBody = z
  .strictObject({
    alert_id: alertId,
    response: answers.optional(),
    action: z
      .union([actions, answers])
      .optional()
      .describe(
        "What is done about it; buy and sell contradict a dismissal. Or the answer, in place of response",
      ),
    reason: z.string().max(500).optional(),
    snooze_minutes: z
      .number()
      .int()
      .min(1)
      .max(MOST_SNOOZE_MINUTES)
      .optional()
      .describe("How long a snooze lasts; 60 unless given"),
  })
  .refine(({ response, action }) => response === undefined || !isAnswer(action) || action === response, {
    message: "says something else than response",
    path: ["action"],
  })
  .refine(({ response, action }) => response !== "dismiss" || (action !== "buy" && action !== "sell"), {
    message: "is of an alert that is not dismissed",
    path: ["action"],
  })
  .refine(
    ({ response, action, snooze_minutes }) =>
      snooze_minutes === undefined || (response ?? action) === "snooze",
    { message: "is of a snooze alone", path: ["snooze_minutes"] },
  )
  .refine(({ response, action }) => response !== undefined || isAnswer(action), {
    message: "response must be accept, dismiss or snooze",
    path: ["response"],
  });
