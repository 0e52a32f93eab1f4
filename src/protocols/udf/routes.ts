import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Quotes } from "../../features/candles/quotes.js";
import type { ChartBars } from "./bars.js";
import { loadHistory } from "./history.js";
import { chartRoutes } from "./http.js";
import { type Marks, markColumns, timescaleMarks } from "./marks.js";
import { loadChartQuotes } from "./quotes.js";
import { RESOLUTIONS } from "./resolutions.js";
import {
  configSchema,
  foundSchema,
  historyQuery,
  historySchema,
  marksQuery,
  marksSchema,
  noQuery,
  quotesQuery,
  quotesSchema,
  searchQuery,
  symbolQuery,
  symbolSchema,
  timescaleMarkSchema,
} from "./schema.js";
import type { Symbols } from "./symbols.js";

/** Sources are asked as well, whose calls are counted; boxes search with each letter. */
const SEARCHES_PER_MINUTE = 60;

export interface UdfRouteOptions {
  readonly symbols: Symbols;
  readonly bars: ChartBars;
  readonly marks: Marks;
  readonly quotes: Pick<Quotes, "load">;
  readonly now: () => number;
}

export function udfRoutes(app: FastifyInstance, options: UdfRouteOptions): void {
  const { symbols, marks, now } = options;
  const get = chartRoutes(app);

  get("/config", {
    id: "udfConfig",
    summary: "What the feed of charts can do, and the exchanges and types of its symbols",
    query: noQuery,
    answer: configSchema,
    handle: async () => configOf(await symbols.groups()),
  });
  get("/time", {
    id: "udfTime",
    summary: "The clock of the server in whole seconds, as plain text",
    query: noQuery,
    answer: z.string().regex(/^\d+$/),
    type: "text/plain",
    handle: () => String(Math.floor(now() / 1_000)),
  });
  get("/symbols", {
    id: "udfSymbol",
    summary: "What a chart has to know of a symbol: hours, tick and resolutions",
    query: symbolQuery,
    answer: symbolSchema,
    handle: ({ symbol }) => symbols.info(symbol),
  });
  get("/search", {
    id: "udfSearch",
    summary: "Symbols with bars whose symbol or name fits a text",
    query: searchQuery,
    answer: z.array(foundSchema),
    perMinute: SEARCHES_PER_MINUTE,
    handle: (query) => symbols.search(query),
  });
  get("/history", {
    id: "udfHistory",
    summary: "Closed bars between two times, or so many before one",
    description:
      "Prices are as their source gives them. An answer holds 5000 bars, of more the newest. The last bar of a poll is the newest that has closed.",
    query: historyQuery,
    answer: historySchema,
    handle: (query) => loadHistory(options, query),
  });
  get("/quotes", {
    id: "udfQuotes",
    summary: "Quotes of several symbols; those without one say why",
    query: quotesQuery,
    answer: quotesSchema,
    handle: async ({ symbols: texts }) => ({ s: "ok" as const, d: await loadChartQuotes(options, texts) }),
  });
  get("/marks", {
    id: "udfMarks",
    summary: "Stored detections and alerts as marks on the bars at whose close they were known",
    description: "At most ten on a bar, and the newest thousand detections and alerts of a stretch.",
    query: marksQuery,
    answer: marksSchema,
    handle: async (query) => markColumns(await marks.load(query)),
  });
  get("/timescale_marks", {
    id: "udfTimescaleMarks",
    summary: "The same on the scale of time: one mark a bar that tells them all",
    query: marksQuery,
    answer: z.array(timescaleMarkSchema),
    handle: async (query) => timescaleMarks(await marks.load(query)),
  });
}

function configOf({
  exchanges,
  types,
}: Awaited<ReturnType<Symbols["groups"]>>): z.input<typeof configSchema> {
  return {
    supports_search: true,
    supports_group_request: false,
    supports_marks: true,
    supports_timescale_marks: true,
    supports_time: true,
    exchanges: [
      { value: "", name: "All", desc: "All exchanges" },
      ...exchanges.map((exchange) => ({ value: exchange, name: exchange, desc: exchange })),
    ],
    symbols_types: [{ value: "", name: "All" }, ...types.map((type) => ({ value: type, name: type }))],
    supported_resolutions: Object.keys(RESOLUTIONS),
  };
}
