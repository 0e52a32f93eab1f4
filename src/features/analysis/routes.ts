import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { instantText, isoTime, routeGroup, wholeNumberText } from "../../platform/http.js";
import {
  adjustmentSchema,
  CANDLE_ERRORS,
  intervalText,
  provenance,
  symbolParams,
} from "../candles/schema.js";
import { adjustmentView, provenanceOf } from "../candles/views.js";
import type { Analysis, IndicatorAnalysis } from "./analysis.js";

const value = z.number().nullable().describe("Null while there are too few bars");

const indicatorsSchema = z
  .object({
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    indicators: z.array(
      z.object({
        request: z.string(),
        name: z.string(),
        parameters: z.record(z.string(), z.number()),
        outputs: z.array(z.string()),
        since: z.iso.datetime().describe("Open of the first bar it was computed from"),
        settled: z
          .boolean()
          .describe("True when earlier candles would change no value; never for sums from the first bar"),
      }),
    ),
    time: z.array(z.iso.datetime()).optional().describe("Opens of the bars, with format=columns"),
    columns: z.record(z.string(), z.array(value)).optional().describe("By request and output: rsi(21).rsi"),
    rows: z
      .array(z.record(z.string(), z.union([z.string(), value])))
      .optional()
      .describe("With format=rows"),
    adjustment: adjustmentSchema.describe("Prices are adjusted for splits as far as these are known"),
    ...provenance,
  })
  .meta({ id: "IndicatorValues" });

const query = z.strictObject({
  names: z
    .string()
    .min(1)
    .max(500)
    .describe("rsi, rsi(21), macd(12,26,9): names by comma, parameters as decimal numbers"),
  interval: intervalText.prefault("1d"),
  limit: wholeNumberText(1, 5_000).prefault("100"),
  format: z.enum(["columns", "rows"]).default("columns"),
  as_of: instantText
    .optional()
    .describe("On the bars that had closed at this moment, as they were known then"),
});

export function analysisRoutes(app: FastifyInstance, { analysis }: { analysis: Analysis }): void {
  const routes = routeGroup(app, { tag: "Analysis", access: "viewer", perMinute: 60 });
  routes.get("/api/indicators/:symbol", {
    id: "getIndicators",
    summary: "Indicators on the newest closed bars of a symbol",
    params: symbolParams,
    query,
    answer: { data: indicatorsSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { names, interval, limit, format, as_of } }) {
      const found = await analysis.computeIndicators(params.symbol, interval, names, limit, as_of);
      const head = {
        symbol: found.set.instrument.symbol,
        interval,
        indicators: found.computed.map(({ request, indicator, values, sinceMs, settled }) => ({
          request,
          name: indicator.name,
          parameters: { ...values },
          outputs: indicator.outputs.map(({ name }) => name),
          since: isoTime(sinceMs),
          settled,
        })),
        adjustment: adjustmentView(found.set),
        ...provenanceOf(found.set),
      };
      return { data: { ...head, ...(format === "rows" ? { rows: rowsOf(found) } : columnsOf(found)) } };
    },
  });
}

function columnsOf(found: IndicatorAnalysis) {
  const { from, set } = found;
  const columns: Record<string, (number | null)[]> = {};
  for (const { key, column } of keyed(found)) {
    columns[key] = Array.from(column, (number) => (Number.isNaN(number) ? null : number));
  }
  return { time: Array.from(set.candles.time.subarray(from), isoTime), columns };
}

function rowsOf(found: IndicatorAnalysis): Record<string, string | number | null>[] {
  const keys = keyed(found);
  return Array.from(found.set.candles.time.subarray(found.from), (openMs, i) => {
    const row: Record<string, string | number | null> = { timestamp: isoTime(openMs) };
    for (const { key, column } of keys) {
      const number = column[i];
      row[key] = Number.isNaN(number) ? null : number;
    }
    return row;
  });
}

function keyed({ computed }: IndicatorAnalysis): { key: string; column: Float64Array }[] {
  return computed.flatMap(({ request, indicator, outputs }) =>
    indicator.outputs.map(({ name }, i) => ({ key: `${request}.${name}`, column: outputs[i] })),
  );
}
