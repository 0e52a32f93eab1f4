import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { NET_COLUMNS, WINDOW_BARS } from "../../core/learning/sequence-net/columns.js";
import { barClose } from "../../core/market/bar-times.js";
import { INTERVALS } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { isoTime, routeGroup, wholeNumberText } from "../../platform/http.js";
import { CANDLE_ERRORS, intervalText, provenance, symbolText } from "../candles/schema.js";
import { provenanceOf } from "../candles/views.js";
import type { DeepDetect, DeepDetection } from "./deep-detect.js";
import { DIRECTION_NAMES } from "./schema.js";
import { DIRECTIONS } from "./views.js";

const time = z.iso.datetime();
const MOST_BARS = 500;

const query = z.strictObject({
  symbol: symbolText,
  timeframe: intervalText.prefault("1h"),
  bars: wholeNumberText(1, MOST_BARS).prefault("50").describe("Newest closed bars whose windows are read"),
  explain: z
    .enum(["true", "false"])
    .default("false")
    .describe(
      "true tells of the newest five shapes what did it, by integrated gradients, as far as time goes",
    ),
});

const patternSchema = z
  .object({
    pattern_type: z.string().describe("A variant of the pattern table"),
    confidence: z.number().describe("Calibrated probability that the window shows it, 0..1; no hit rate"),
    price: z.number().describe("Close of the bar at which it is likeliest"),
    volume: z.number(),
    timestamp: time.describe("When that bar closed"),
    metadata: z.object({
      name: z.string().nullable(),
      direction: z.enum(DIRECTION_NAMES),
      bar_time: time,
      first_bar_time: time.describe("Bars in a row at which it is named"),
      last_bar_time: time,
      window_bars: z.number().int(),
      explanation: z
        .object({
          base: z.number().describe("Logit of the shape for a flat window"),
          logit: z.number(),
          columns: z.record(z.enum(NET_COLUMNS), z.number()).describe("Parts; they sum to logit - base"),
          bars: z.array(z.number()).describe("The same sum by bar of the window, oldest first"),
        })
        .nullable(),
      explanation_reason: z.string().nullable().describe("Why there is no explanation; null where there is"),
    }),
  })
  .meta({ id: "DeepPattern" });

const answer = {
  symbol: z.string(),
  timeframe: z.enum(INTERVALS),
  patterns: z.array(patternSchema).describe("Newest first"),
  detector: z.string(),
  model_version: z.string(),
  windows_read: z.number().int(),
  reason: z.string().nullable().describe("Why nothing could be read; null where something was"),
  ...provenance,
};

/** What the sequence net sees. */
export function deepRoutes(app: FastifyInstance, { deepDetect }: { deepDetect: DeepDetect }): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 30 });
  routes.get("/api/ml/deep-detect", {
    id: "detectDeep",
    summary: "Chart shapes that the sequence net names on the newest closed bars",
    query,
    answer: { data: z.object(answer), ...answer },
    errors: [...CANDLE_ERRORS, "no_model", "model_refused"],
    async handle({ query: { symbol, timeframe, bars, explain } }) {
      const found = await deepDetect.detect(symbol, timeframe, bars, explain === "true");
      const { set, version, windows, sightings } = found;
      const view = {
        symbol: set.instrument.symbol,
        timeframe,
        patterns: sightings.map((sighting) => patternView(sighting, found)).reverse(),
        detector: version.learner,
        model_version: version.version,
        windows_read: windows,
        reason: windows === 0 ? `Fewer than ${WINDOW_BARS} bars with prices above 0 are known` : null,
        ...provenanceOf(set),
      };
      return { data: view, ...view };
    },
  });
}

function patternView(
  sighting: DeepDetection["sightings"][number],
  { set: { candles, instrument } }: DeepDetection,
): z.input<typeof patternSchema> {
  const { shape, title, direction, first, last, at, probability, explanation, reason } = sighting;
  const { time: opens, close, volume, interval } = candles;
  return {
    pattern_type: shape,
    confidence: probability,
    price: close[at],
    volume: volume[at],
    timestamp: isoTime(barClose(calendarOf(instrument.calendar), interval, opens[at])),
    metadata: {
      name: title,
      direction: DIRECTIONS[direction],
      bar_time: isoTime(opens[at]),
      first_bar_time: isoTime(opens[first]),
      last_bar_time: isoTime(opens[last]),
      window_bars: WINDOW_BARS,
      explanation:
        explanation === null
          ? null
          : {
              base: explanation.base,
              logit: explanation.logit,
              columns: columnsView(explanation.columns),
              bars: [...explanation.bars],
            },
      explanation_reason: reason,
    },
  };
}

function columnsView(parts: readonly number[]): Record<(typeof NET_COLUMNS)[number], number> {
  const named = NET_COLUMNS.map((name, k) => [name, parts[k]] as const);
  return Object.fromEntries(named) as Record<(typeof NET_COLUMNS)[number], number>;
}
