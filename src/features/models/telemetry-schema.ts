import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { decimalText, wholeNumberText } from "../../platform/http.js";
import { ASSET_CLASSES } from "./schema.js";
import { ANY } from "./store.js";

const time = z.iso.datetime().nullable();
const number = z.number().nullable();
const MOST_VALUE = 1e15;

export const scoreSchema = z.object({
  score_id: z.number().int(),
  model: z.string().describe("Learner, asset class, interval and grouping, of which versions are counted"),
  model_version: z.string(),
  model_hash: z.string().describe("First 16 hex digits of the SHA-256 of the artefact"),
  ml_score: z.number().describe("Calibrated chance that the target comes before the stop, 0..1"),
  ml_confidence: z.number().describe("Twice the distance of the score from a half, 0..1"),
  features_snapshot: z
    .record(z.string(), z.number().nullable())
    .describe("By name, as they were when the pattern was seen; null for what was not known"),
});

export const telemetryTradeSchema = z
  .object({
    id: z.number().int().describe("Of the outcome"),
    source: z
      .string()
      .describe(
        "settled: an alert by its levels, on bars; paper: a trade of an account; user: as somebody reports it",
      ),
    symbol: z.string(),
    timeframe: z.string().nullable(),
    pattern: z.string().nullable(),
    direction: z.enum(["long", "short"]).nullable(),
    alert_id: z.number().int().nullable(),
    ending: z.string().nullable(),
    outcome: z.string().nullable(),
    gain: number.describe("After costs, as a share of the entry"),
    r: number.describe("After costs, in units of the planned risk"),
    pnl: z.string().nullable().describe("Decimal; null for an alert that nobody traded"),
    entered_at: time,
    exited_at: time,
    ...scoreSchema.shape,
  })
  .meta({ id: "ScoredTrade" });

export const versionRecordSchema = z
  .object({
    model_version: z.string(),
    model_hash: z.string(),
    learner: z.string(),
    asset_class: z.string(),
    timeframe: z.string(),
    trades: z.number().int(),
    wins: z.number().int(),
    win_rate: number,
    average_score: number,
    average_confidence: number,
    average_gain: number,
    total_pnl: z.string().nullable().describe("Of paper trades, decimal; null where none is one"),
  })
  .meta({ id: "VersionRecord" });

const differenceSchema = z.object({
  difference: number.describe("b less a"),
  low: number.describe("95 % interval"),
  high: number,
  p_value: number.describe("Two-sided; null where there is too little to tell"),
});

const decisionsSchema = z.object({
  decisions: z.number().int().describe("Each once, whoever says how it ended"),
  wins: z.number().int(),
  win_rate: number,
  average_gain: number,
  by_source: z
    .object({ settled: z.number().int(), paper: z.number().int(), user: z.number().int() })
    .describe(
      "A decision is told by its levels on bars, else by a trade of an account, else as a user reports it",
    ),
  from: time.describe("When the first and the last of them were decided"),
  to: time,
});

export const comparisonSchema = z.object({
  a: versionRecordSchema,
  b: versionRecordSchema,
  decisions: z
    .object({ a: decisionsSchema, b: decisionsSchema })
    .describe("What the tests are of: decisions, where the records count trades"),
  same_time: z
    .boolean()
    .describe(
      "Whether the two decided at one time in part; where they did not, a difference may be that of the market",
    ),
  win_rate: differenceSchema.describe(
    "Student's test over blocks of time in which outcomes overlap; no interval where there are fewer than two of either",
  ),
  gain: differenceSchema.nullable().describe("The same of mean gains; null where either has none"),
});

export const scoredTradeParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });

const limit = wholeNumberText(1, 500).default(50);
const versionText = z.string().min(1).max(64).describe("A version, or the first digits of a hash");

/** Versions are numbered by what they are for: 1.0.0 of one asset class is not that of another. */
const scope = {
  asset_class: z
    .enum([...ASSET_CLASSES, ANY])
    .optional()
    .describe("Of the model"),
  timeframe: z
    .enum([...INTERVALS, ANY])
    .optional()
    .describe("Of the model"),
};

export const tradesQuery = z.object({
  model_version: versionText.optional(),
  source: z.enum(["settled", "paper", "user"]).optional(),
  ...scope,
  limit,
});

export const compareQuery = z.object({ a: versionText, b: versionText, ...scope });

export const featureQuery = z
  .object({
    name: z.string().min(1).max(60).describe("Name of a feature, as in features_snapshot"),
    min: decimalText(-MOST_VALUE, MOST_VALUE).optional().describe("Trades with less are told"),
    max: decimalText(-MOST_VALUE, MOST_VALUE).optional().describe("Trades with more are told"),
    limit,
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { message: "needs min, max, or both" })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    message: "min must not be above max",
  });
