import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { COST_BOUNDS, COST_CLASSES } from "../../core/signals/cost-class.js";
import { ANY_COSTS, ANY_REGIME } from "../../core/signals/evidence.js";
import { wholeNumberText } from "../../platform/http.js";
import { intervalText } from "../candles/schema.js";
import { EVIDENCE_SORTS } from "./evidence.js";
import { MEASURED } from "./measured.js";

const costClasses = [ANY_COSTS, ...COST_CLASSES] as const;
const share = z.number().nullable();
const time = z.iso.datetime();

export const evidenceSchema = z
  .object({
    pattern_type: z.string().describe("Variant of the pattern table, bullish_engulfing"),
    pattern: z.string().describe("Row of the pattern table that it belongs to"),
    interval: z.enum(INTERVALS),
    regime: z
      .string()
      .describe(
        `Market regime at the pattern; ${ANY_REGIME} takes all together, with trades whose regime is unknown, so that it is more than the sum of the regimes`,
      ),
    costs: z
      .enum(costClasses)
      .describe(
        `What costs take of the way to the target: light below ${COST_BOUNDS[0]}, heavy below ${COST_BOUNDS[1]}, prohibitive all of it; ${ANY_COSTS} takes all together`,
      ),
    status: z.enum(["sufficient", "insufficient"]),
    reason: z.string().nullable().describe("Why it is insufficient"),
    occurrences: z.number().int().describe("Confirmed patterns in their prior trend"),
    n: z.number().int().describe("Trades that were taken and have ended"),
    voided: z.number().int().describe("Trades not taken: the next open lay beyond stop or target"),
    unsettled: z.number().int().describe("Trades that have not ended yet"),
    hits: z.number().int().describe("Target before stop within the horizon, and a gain after costs"),
    hit_rate: share,
    hit_rate_low: share.describe("Wilson's interval, 95 %"),
    hit_rate_high: share,
    base_rate: share.describe(
      "Hit rate of the same trade without the pattern, on the same series where costs are of the same class",
    ),
    edge: share.describe("hit_rate less base_rate"),
    edge_low: share.describe(
      "Exact interval, 99 %, at the number of trades that blocks of time leave of them",
    ),
    edge_high: share,
    p_value: share.describe(
      "Two-sided and exact in the same way: below 0.01 where that interval leaves 0 out",
    ),
    q_value: share.describe("p_value corrected for all tests of the run (Benjamini and Hochberg)"),
    mean_r: share.describe("Mean gain after costs in units of the planned risk"),
    confidence: share.describe("(hits + prior_trades x base_rate) / (n + prior_trades)"),
    prior_trades: z.number().nullable().describe("Trades that base_rate counts for"),
    predicted: z.number().int().describe("Trades that were predicted by what had ended before them"),
    brier_score: share,
    calibration_error: share.describe("Expected calibration error of those predictions, ten bins"),
    blocks: z.number().int().describe("Blocks of calendar time that the trades fell into"),
    first_at: time.nullable(),
    last_at: time.nullable(),
    live_n: z
      .number()
      .int()
      .describe("Trades on patterns that were detected while they happened, since live_since"),
    live_hits: z.number().int(),
    live_hit_rate: share,
  })
  .meta({ id: "Evidence" });

export const runSchema = z
  .object({
    id: z.number().int(),
    as_of: time.describe("Bars that had closed by then were measured"),
    created_at: time,
    from: time.nullable(),
    until: time.nullable(),
    series: z.number().int(),
    bars: z.number().int(),
    occurrences: z.number().int(),
    tests: z.number().int().describe("Cells whose p-values were corrected for one another"),
    policy: z.unknown().describe("Trade policy, costs by asset class in basis points, least counts and seed"),
    live_since: time,
    live_missing: z.number().int().describe("Live detections that the stored bars no longer show"),
  })
  .meta({ id: "EvidenceRun" });

const name = z.string().trim().min(1).max(60);
const regimes = [ANY_REGIME, ...MEASURED.regimes] as const;

export const evidenceQuery = z.strictObject({
  pattern: name.optional().describe("A variant in any spelling, or a pattern for all of its variants"),
  interval: intervalText.optional(),
  regime: z.enum(regimes).optional().describe(`Name of a regime, or ${ANY_REGIME}; all without it`),
  costs: z.enum(costClasses).prefault(ANY_COSTS).describe("Class of costs"),
  status: z.enum(["sufficient", "insufficient"]).optional(),
  min_n: wholeNumberText(0, 1_000_000_000).prefault("0").describe("Fewest trades that have ended"),
  sort: z.enum(EVIDENCE_SORTS).optional().describe("The greatest first, the least of q_value"),
  limit: wholeNumberText(1, 5_000).prefault("1000"),
  offset: wholeNumberText(0, 1_000_000).prefault("0"),
});
