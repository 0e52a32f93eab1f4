import { z } from "zod";
import { normaliseSymbol } from "../../core/market/instrument.js";
import { AppError } from "../../platform/errors.js";
import { instantText, isoTime, type RouteGroup, wholeNumberText } from "../../platform/http.js";
import { intervalText } from "../candles/schema.js";
import type { Pipeline } from "./pipeline.js";
import { barSchema, decisionSchema, limitQuery, symbolParams, synergySchema } from "./schema.js";
import { LATEST_MS } from "./store.js";
import { barView, decisionView, synergyView } from "./views.js";

/** What was stored of symbols. */
export function findingRoutes(routes: RouteGroup, { pipeline }: { readonly pipeline: Pipeline }): void {
  const { store, intervals } = pipeline;

  /** What is stored of a symbol. @throws {AppError} `no_data` for one that was never heard of, as where its indicators are asked for. */
  async function foundOf<Row>(symbol: string, found: Promise<Row[]>): Promise<Row[]> {
    const rows = await found;
    if (rows.length === 0 && !(await store.isKnown(symbol))) await pipeline.look(symbol);
    return rows;
  }

  routes.get("/api/pipeline/:symbol/synergies", {
    id: "listSynergies",
    summary: "Synergies of a symbol, the newest first",
    params: symbolParams,
    query: limitQuery,
    answer: { data: z.array(synergySchema) },
    errors: ["symbol_invalid", "no_data", "pipeline_elsewhere"],
    async handle({ params, query: { limit } }) {
      const symbol = symbolOf(params.symbol);
      return { data: (await foundOf(symbol, store.listSynergies(symbol, limit))).map(synergyView) };
    },
  });
  routes.get("/api/pipeline/:symbol/decisions", {
    id: "listPipelineDecisions",
    summary: "What the rule made of each synergy, and the first rule that refused, the newest first",
    params: symbolParams,
    query: limitQuery,
    answer: { data: z.array(decisionSchema) },
    errors: ["symbol_invalid", "no_data", "pipeline_elsewhere"],
    async handle({ params, query: { limit } }) {
      const symbol = symbolOf(params.symbol);
      return { data: (await foundOf(symbol, store.listDecisions(symbol, limit))).map(decisionView) };
    },
  });
  routes.get("/api/pipeline/:symbol/bars", {
    id: "listTickBars",
    summary: "Bars made of ticks, the newest first",
    params: symbolParams,
    query: z.strictObject({
      interval: intervalText.default("5m"),
      before: instantText.optional().describe("Bars that open before this"),
      limit: wholeNumberText(1, 5_000).default(500),
    }),
    answer: {
      data: z.array(barSchema),
      next: z.string().nullable().describe("Open of the oldest, for before"),
    },
    errors: ["symbol_invalid", "interval_unavailable", "no_data", "pipeline_elsewhere"],
    async handle({ params, query: { interval, before, limit } }) {
      const symbol = symbolOf(params.symbol);
      if (!intervals.includes(interval)) {
        throw new AppError("interval_unavailable", `Bars of ${intervals.join(", ")} are made of ticks`);
      }
      const to = before ?? LATEST_MS;
      const rows = await foundOf(symbol, store.listBars(symbol, interval, { from: 0, to, limit }));
      const oldest = rows.at(-1);
      return {
        data: rows.map(barView),
        next: rows.length < limit || oldest === undefined ? null : isoTime(oldest.time),
      };
    },
  });
}

/** The one spelling of a symbol. @throws {AppError} `symbol_invalid` */
export function symbolOf(text: string): string {
  const symbol = normaliseSymbol(text);
  if (symbol === null)
    throw new AppError("symbol_invalid", "A symbol has letters, digits and . - = ^ _ only");
  return symbol;
}
