import { z } from "zod";
import { ISSUES, type IssueCode } from "../../core/quality/issue.js";
import { wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";

const codes = Object.keys(ISSUES) as [IssueCode, ...IssueCode[]];
const severity = z.enum(["critical", "warning", "info"]);

export const foundSchema = z
  .object({
    code: z.enum(codes),
    severity,
    category: z.string().describe("invalid_data, order, price_scale, corporate_action, missing_data, ..."),
    title: z.string().describe("The same for each finding of the code"),
    symbol: z.string().describe("Symbol, or name of a source"),
    detail: z.string().describe("What was found, with the values behind it"),
    datum_time: z.iso.datetime().nullable().describe("Of the first datum concerned"),
    count: z.number().int().describe("Data concerned"),
  })
  .meta({ id: "QualityFinding" });

export const issueSchema = foundSchema
  .extend({
    id: z.number().int(),
    source: z.string(),
    synthetic: z.boolean(),
    first_seen: z.iso.datetime(),
    last_seen: z.iso.datetime(),
    seen: z.number().int().describe("How often it was found"),
  })
  .meta({ id: "QualityIssue" });

const grade = z.enum(["good", "degraded", "bad", "unknown"]);

export const reportSchema = z
  .object({
    timestamp: z.iso.datetime(),
    overall_quality: grade.describe(
      "bad with a critical issue now or in the last hour, degraded with a warning, unknown while no source was asked often enough to tell",
    ),
    recent_issues: z.array(issueSchema).describe("The newest 50"),
    feed_health: z.record(
      z.string(),
      z.object({
        total_calls: z.number().int().describe("Of the last 1,000"),
        successful_calls: z.number().int(),
        failed_calls: z.number().int(),
        avg_response_time_ms: z.number().nullable().describe("Failed calls count too; null before the first"),
        failure_rate: z.number().nullable().describe("0..1; null before the first call"),
        quality: grade.describe("unknown before the twentieth call, unless the last ones failed"),
        issues: z.array(foundSchema),
      }),
    ),
    stream_health: z
      .record(z.string(), z.object({ connected: z.boolean(), issues: z.array(foundSchema) }))
      .describe("Streams of trades that are followed"),
    summary: z.object({
      total_issues_tracked: z.number().int(),
      critical_issues_last_hour: z.number().int(),
      warning_issues_last_hour: z.number().int(),
    }),
  })
  .meta({ id: "QualityReport" });

export const issuesQuery = z.strictObject({
  severity: severity.optional(),
  symbol: symbolText.optional().describe("Symbol, or name of a source, as issues have it"),
  limit: wholeNumberText(1, 500).prefault("50"),
  before: z
    .string()
    .regex(/^\d{1,15}-\d{1,15}$/, "must be a cursor")
    .optional()
    .describe("`next` of the page before"),
});

const number = z.number().nullable().optional();
/** Lists, or objects by strike: chains come as either. */
const legs = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional();

export const stateBody = z
  .looseObject({
    symbol: symbolText,
    spot_price: number,
    price: number.describe("The same as spot_price"),
    timestamp: z
      .union([z.string().max(40), z.number()])
      .nullable()
      .optional()
      .describe("ISO 8601, or epoch ms"),
    bid: number,
    ask: number,
    option_chain: z
      .looseObject({ calls: legs, puts: legs })
      .nullable()
      .optional()
      .describe("Legs with an `oi` or `open_interest` where it is known"),
    total_call_oi: number,
    total_put_oi: number,
    original_strikes: z.number().int().min(0).nullable().optional(),
    filtered_strikes: z.number().int().min(0).nullable().optional(),
  })
  .describe("A market state as a desk has it; fields that are not known here are not looked at");
export type StateBody = z.output<typeof stateBody>;

export const checkSchema = z
  .object({
    symbol: z.string(),
    ok: z.boolean().describe("True without a critical issue"),
    issues: z.array(foundSchema),
    band: z
      .object({ low: z.number(), high: z.number(), closes: z.number().int() })
      .nullable()
      .describe("Where the price would not surprise, learned from daily closes"),
    band_problem: z.string().nullable().describe("Why there is no band"),
    exchange_open: z.boolean().describe("While it is closed, old data are not stale"),
  })
  .meta({ id: "QualityCheck" });
