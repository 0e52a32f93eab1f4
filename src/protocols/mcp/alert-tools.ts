import { z } from "zod";
import type { Alerts } from "../../features/alerts/alerts.js";
import { STATUSES } from "../../features/alerts/schema.js";
import { alertView } from "../../features/alerts/views.js";
import type { Explain } from "../../features/explain/feature.js";
import { recommend } from "../../features/explain/recommendation.js";
import { reasoningSteps } from "../../features/explain/steps.js";
import { alertExplanationView } from "../../features/explain/views.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { atMost, cut, digits, figure, inDigits, symbol, time } from "./schema.js";
import { defineTool, type Tool } from "./tool.js";

export interface AlertToolOptions {
  readonly alerts: Pick<Alerts, "list">;
  readonly explain: Pick<Explain, "subjects" | "read">;
  readonly instruments: Pick<Instruments, "identify">;
  /** Whether alerts are of the synthetic market. */
  readonly synthetic: boolean;
  readonly now: () => number;
}

/** The source of what the server has stored itself. */
export const STORED = "stored by this server";

const alertRow = z.object({
  alert_id: z.number().int(),
  symbol: z.string(),
  interval: z.string(),
  pattern: z.string(),
  direction: z.enum(["bullish", "bearish", "neutral"]),
  status: z.enum(STATUSES),
  score: z.number().describe("Compared with the threshold, 0..1"),
  score_basis: z.enum(["confidence", "quality"]),
  confidence: figure.describe("Measured hit rate, 0..1; null while too few cases tell"),
  price: z.number().describe("Close of its bar"),
  entry: figure,
  stop: figure,
  target: figure,
  raised_at: time,
  source: z.string(),
});

export function alertTools({
  alerts,
  explain,
  instruments,
  synthetic,
  now,
}: AlertToolOptions): readonly Tool[] {
  const listAlerts = defineTool({
    name: "list_alerts",
    title: "Alerts",
    description:
      "Alerts that this server raised for patterns on closed bars, newest first, with entry, stop and target. Use explain_alert with an alert_id for why.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      symbol: symbol.optional(),
      status: z
        .enum([...STATUSES, "any"])
        .default("any")
        .describe("active are those nobody has answered"),
      limit: atMost(50, 10),
    }),
    output: { alerts: z.array(alertRow), total: z.number().int().describe("Of which the newest are listed") },
    async run({ symbol: text, status, limit }) {
      const filter = {
        symbol: text === undefined ? undefined : instruments.identify(text).symbol,
        status: status === "any" ? undefined : status,
      };
      const { rows, total } = await alerts.list(filter, limit, 0);
      const found = rows.map((row): z.input<typeof alertRow> => {
        const view = alertView(row);
        return {
          alert_id: view.id,
          symbol: view.symbol,
          interval: view.interval,
          pattern: view.alert_type,
          direction: view.direction,
          status: view.status,
          score: inDigits(view.score),
          score_basis: view.score_basis,
          confidence: digits(view.confidence),
          price: inDigits(view.price),
          entry: digits(row.entry),
          stop: digits(row.stop),
          target: digits(row.target),
          raised_at: view.timestamp,
          source: view.source,
        };
      });
      return { alerts: found, total, synthetic, source: STORED, as_of: isoTime(now()), stale: false };
    },
  });
  return [listAlerts, explainTool({ explain, now })];
}

const TEXT_MOST = 1_500;
const FACTORS_MOST = 8;

function explainTool({ explain, now }: Pick<AlertToolOptions, "explain" | "now">): Tool {
  return defineTool({
    name: "explain_alert",
    title: "Why an alert was raised",
    description:
      "Why an alert was raised, with the numbers known then, what has been measured of its pattern by now, similar cases, and how its trade stands. Takes an alert_id of list_alerts.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({ alert_id: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    output: {
      alert_id: z.number().int(),
      symbol: z.string(),
      interval: z.string(),
      pattern: z.string(),
      explanation: z.string(),
      market_context: z.string(),
      action_now: z.enum(["BUY", "SELL", "WATCH", "HOLD"]),
      risk_factors: z.array(z.string()),
      entry: figure,
      stop: figure,
      target: figure,
      reward_per_risk: figure,
      evidence: z.object({
        hit_rate: figure,
        sample_size: figure,
        base_rate: figure.describe("Of trades at any time"),
        reason: z.string().nullable().describe("Why none is measured"),
      }),
      similar: z.object({ cases: z.number().int(), settled: z.number().int(), hits: z.number().int() }),
      raised_at: time,
    },
    async run({ alert_id: id }) {
      const reading = await explain.read(await explain.subjects.ofAlert(id));
      const { alert } = reading.subject;
      if (alert === null) throw new AppError("alert_not_found", `There is no alert ${id}`);
      const view = alertExplanationView(reading, alert, recommend(reading), reasoningSteps(reading));
      const { evidence, similar_cases: similar, ...levels } = view.additional_data;
      return {
        alert_id: view.alert_id,
        symbol: view.symbol,
        interval: levels.interval,
        pattern: view.pattern_name,
        explanation: cut(view.explanation, TEXT_MOST),
        market_context: cut(view.market_context, TEXT_MOST),
        action_now: view.recommended_action,
        risk_factors: view.risk_factors.slice(0, FACTORS_MOST).map((text) => cut(text, 300)),
        entry: digits(levels.entry),
        stop: digits(levels.stop_loss),
        target: digits(levels.take_profit),
        reward_per_risk: digits(levels.risk_reward_ratio),
        evidence: {
          hit_rate: digits(evidence.hit_rate),
          sample_size: evidence.sample_size,
          base_rate: digits(evidence.base_rate),
          reason: evidence.reason,
        },
        similar: { cases: similar.count, settled: similar.settled, hits: similar.hits },
        raised_at: view.timestamp,
        synthetic: alert.synthetic,
        source: alert.source,
        as_of: isoTime(now()),
        stale: false,
      };
    },
  });
}
