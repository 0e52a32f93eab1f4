import { z } from "zod";
import { wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import { STAGES } from "./counts.js";

/** Rows of one batch at most. */
export const MOST_ROWS = 65_536;

export const symbolParams = z.strictObject({ symbol: symbolText });
export const limitQuery = z.strictObject({
  limit: wholeNumberText(1, 500).default(50).describe("At most so many, the newest"),
});

const rowText =
  "symbol, time (epoch ms or RFC 3339), price, size and perhaps id, the source's number of the trade: whole and within 2^53 - 1, since of larger ones several are one to JSON";

const rows = z.array(z.unknown()).max(MOST_ROWS);
export const ticksBody = z
  .union(
    [
      z.string().describe(`Lines of JSON, each with ${rowText}: application/x-ndjson`),
      rows.describe(`Rows with ${rowText}`),
      z.strictObject({ ticks: rows }).describe("The same as an object"),
    ],
    {
      error: ({ input }) => {
        const sent = listedIn(input);
        const number = sent === null ? "" : `${sent} rows were sent: `;
        return `${number}must be a list of at most ${MOST_ROWS} rows, an object {"ticks": [...]} with such a list alone, or as many lines of JSON as application/x-ndjson`;
      },
    },
  )
  .describe(`At most ${MOST_ROWS} rows. What is no tick is refused row by row, with its reason.`);

/** How many rows a body has; null for one that has no list of them. */
function listedIn(body: unknown): number | null {
  const list = typeof body === "object" && body !== null && "ticks" in body ? body.ticks : body;
  return Array.isArray(list) ? list.length : null;
}

const refusedRow = z.object({
  index: z.number().int().describe("Place of the row in the batch, from 0"),
  reason: z
    .string()
    .describe(
      "late, duplicate, outlier, price_not_positive, price_too_small (below 1e-9), price_too_large, size_negative, size_too_large, not_finite, outside_session, from_the_future, other_source, no_room, id_not_exact (beyond 2^53 - 1, or not whole: send the trade without it), or what is wrong with the row",
    ),
});

export const receipt = {
  accepted: z.number().int().nullable().describe("Null for a batch that was answered before a restart"),
  rejected: z.array(refusedRow),
  held: z
    .array(z.number().int())
    .describe(
      "Rows far from the price before them: the next tick of their symbol confirms or refutes them. Of one with an id that is learnt by sending it again after that, while its bar is open: duplicate where it was confirmed, else it is judged anew",
    ),
  repeated: z.boolean().describe("Answered before under the same Idempotency-Key: taken once"),
};

const stageTimes = z.object({
  count: z.number().int(),
  p50: z.number().nullable().describe("Milliseconds, as those after it; null before the first"),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
});

export const statusSchema = z.object({
  state: z
    .enum(["running", "starting", "elsewhere", "idle", "stopped"])
    .describe("elsewhere: another process takes ticks; idle: nobody has sent any yet"),
  since: z.iso.datetime().describe("What this process counts from"),
  ticks_per_second: z.number().describe("Over the last ten seconds"),
  symbols: z.number().int(),
  groups: z.number().int().describe("Groups of ticks that were kept and worked out"),
  waiting: z.object({
    ticks: z.number().int().describe("Not kept yet"),
    outcomes: z.number().int().describe("Groups whose bars are not stored yet"),
  }),
  latency_ms: z
    .record(z.enum(STAGES), stageTimes)
    .describe("Of a group of ticks, by stage; answer is all of it"),
  ticks: z
    .record(z.string(), z.number())
    .describe("By verdict in the end; held: those that wait for the next of their symbol"),
  refused: z
    .record(z.string(), z.number())
    .describe(
      "Rows that were not judged, by reason: no ticks (not_finite: without a price or a size), of another source or an unknown symbol, without room",
    ),
  bars: z.record(z.string(), z.number()).describe("By interval"),
  indicator_sets: z.number().int().describe("Closed bars of 5m and 30m, each with its indicators"),
  matrices: z.number().int().describe("Rows of matrices: one for each bar of 5m, two for one of 30m"),
  synergies: z.number().int(),
  decisions: z.record(z.string(), z.number()).describe("By the rule that refused, or accepted"),
  stored: z
    .object({
      bars: z.number().int(),
      synergies: z.number().int(),
      decisions: z.number().int(),
      refused: z.number().int(),
    })
    .describe("In the database, by all processes so far"),
  terms: z.record(z.string(), z.number()).describe("Of decisions"),
  lots: z
    .record(z.string(), z.number())
    .describe("Units in which positions are counted, by kind of instrument"),
});

const figure = z.number().nullable();
export const indicatorsSchema = z.object({
  symbol: z.string(),
  bars_5m: z
    .number()
    .int()
    .describe(
      "Taken since the first tick, or since the oldest stored bar from which the state was rebuilt after other intervals were set",
    ),
  bars_30m: z.number().int(),
  as_of: z.iso.datetime().nullable().describe("Close of the newest bar"),
  mlmi: z.object({
    value: figure.describe("0..100, 50 without conviction; null while it is not warm"),
    cross: figure.describe("1 where its averages cross upwards, -1 downwards"),
    bar_time: z.iso.datetime().nullable(),
  }),
  nwrqk: z.object({
    value: figure.describe("Estimate, in price"),
    slope: figure.describe("In average true ranges a bar"),
    bar_time: z.iso.datetime().nullable(),
  }),
  fvg: z.object({
    gap: figure,
    bullish: figure,
    bearish: figure,
    distance: figure.describe("From the close to the nearest open gap, in price"),
    age: figure.describe("In lives"),
    bullish_fill: figure,
    bearish_fill: figure,
    strength: figure,
    bar_time: z.iso.datetime().nullable(),
  }),
  lvn: z.object({
    below: figure.describe("Price of the nearest low volume node below the close; null for none"),
    below_strength: figure,
    above: figure,
    above_strength: figure,
    bar_time: z.iso.datetime().nullable(),
  }),
  mmd: z.object({
    distances: z
      .record(z.string(), figure)
      .describe("Squared maximum mean discrepancy from each kind of market"),
    confidence: figure.describe("(second - nearest) / second"),
    nearest: z.string().nullable(),
    why: z.string().nullable().describe("Why it is not known: too few bars, or a price that has never moved"),
    bar_time: z.iso.datetime().nullable(),
  }),
  average_true_range: figure.describe("Of 14 bars of 30m, in price"),
});

export const matrixSchema = z.object({
  name: z.string(),
  description: z.string(),
  interval: z.string(),
  shape: z.array(z.number().int()).describe("Rows and features when it is full"),
  filled: z.number().int(),
  whole: z.number().int().describe("Newest rows in which every feature is warm"),
  features: z.array(
    z.object({
      name: z.string(),
      formula: z.string(),
      normalisation: z.string(),
      range: z.array(z.number()),
      warmup: z.number().int().describe("Bars before its first value"),
    }),
  ),
  bar_times: z.array(z.iso.datetime()).describe("Opens, oldest first"),
  rows: z.array(z.array(figure)).describe("A row for each bar; null where a feature is not warm"),
});

export const synergySchema = z.object({
  event: z.literal("SYNERGY_DETECTED"),
  id: z.number().int(),
  symbol: z.string(),
  synergy_type: z.string(),
  direction: z.number().int(),
  quality: z.number().describe("0..1, no hit rate"),
  confidence: figure.describe("Null: no hit rate of synergies has been measured"),
  begun_at: z.iso.datetime(),
  timestamp: z.iso.datetime().describe("Close of the bar of the last leg"),
  signal_sequence: z.array(
    z.object({
      type: z.string(),
      value: z
        .number()
        .describe("MLMI, slope in average true ranges a bar, or size of the fill over the close"),
      signal: z.number().int(),
      strength: z.number(),
      timestamp: z.iso.datetime(),
    }),
  ),
  signal_strengths: z.record(z.string(), z.number()),
  market_context: z.object({
    ...{ price: figure, range: figure, node_below: figure, node_above: figure, volume: figure },
    ...{ equity: figure, open_positions: figure, cost: figure },
    current_price: figure,
    volatility: figure.describe("Average true range of 30m over the price"),
    volume_ratio: figure.describe("Volume of the newest 5m over the mean of the 20 bars before it"),
    trend_strength_5m: figure.describe("Change of the close in 5 bars, in average true ranges"),
    trend_strength_30m: figure.describe("Slope of NW-RQK in average true ranges a bar"),
    nearest_lvn: z
      .object({ price: z.number(), strength: figure, distance: z.number() })
      .nullable()
      .describe("On the side of the stop"),
    timestamp: z.iso.datetime(),
  }),
  metadata: z.object({
    pattern_quality: z.number(),
    detection_timestamp: z.iso.datetime(),
    bars_to_complete: z.number().int().describe("Stretches of 5m from the first leg to the last"),
  }),
});

export const decisionSchema = z.object({
  event: z
    .enum(["TRADE_QUALIFIED", "TRADE_REJECTED", "EXECUTE_TRADE", "ORDER_REFUSED"])
    .describe("The last two are told of what was qualified before, once its order is placed or refused"),
  synergy_id: z.number().int(),
  symbol: z.string(),
  synergy_type: z.string(),
  direction: z.number().int(),
  timestamp: z.iso.datetime(),
  decided_at: z.iso.datetime(),
  outcome: z.enum(["accepted", "refused"]),
  refused_by: z.string().nullable().describe("The first rule that refused"),
  entry_price: figure,
  stop_loss_price: figure,
  stop_basis: z.string().nullable().describe("node, nearest_stop (moved out to it) or no_node"),
  take_profit_price: figure,
  position_size: figure.describe("Units"),
  risk_amount: figure.describe("Money lost at the stop, costs aside"),
  reward_amount: figure,
  currency: z.string().nullable().describe("Of equity, risk and reward"),
  point_value: figure.describe("Money per point of price and unit, in the currency of the instrument"),
  rate: figure.describe("Money of the account for one of the instrument's currency"),
  equity: figure,
  equity_basis: z
    .enum(["account", "PIPELINE_EQUITY"])
    .describe("Whose money: of the paper account, or a setting"),
  confidence: figure.describe("0..1, as confidence_basis says"),
  confidence_basis: z.string().nullable().describe("quality: no hit rate; score: of a model"),
  model: z.object({
    score: figure.describe(
      "Calibrated chance, 0..1, of trades on patterns: of synergies it is measured apart",
    ),
    version: z.string().nullable(),
    why: z.string().nullable().describe("Why there is none; null where there is"),
    score_id: z.number().int().nullable().describe("For /api/ml/scores/:id/proof"),
  }),
  paper: z
    .object({
      account_id: z.string(),
      status: z.enum(["waiting", "placed", "refused", "none"]).describe("none: there is nothing to place"),
      order_id: z.string().nullable(),
      why: z.string().nullable().describe("Why it was refused, or nothing is known of the account"),
    })
    .nullable()
    .describe("Null where decisions go to no paper account"),
  rules: z.array(
    z.object({
      rule: z.string(),
      passed: z.boolean().nullable().describe("Null where the rule was not applied"),
      value: figure,
      limit: figure,
      why: z.string().nullable(),
    }),
  ),
  alert_id: z.number().int().nullable(),
  not_alerted: z.string().nullable(),
});

export const barSchema = z.object({
  symbol: z.string(),
  interval: z.string(),
  timestamp: z.iso.datetime().describe("Open of the bar"),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
  count: z.number().int().describe("Ticks"),
  vwap: figure.describe("Null without volume"),
  pressure: figure.describe("Bought less sold by the tick rule, over volume; -1..1"),
  slot: z.number().int().describe("Stretches of the interval within sessions since the first bar"),
});
