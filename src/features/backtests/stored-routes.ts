import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { within } from "../../platform/deadline.js";
import { isoTime, NOBODY, problemResponses, routeGroup, wholeNumberText } from "../../platform/http.js";
import { HASH_WORDS } from "./report-hash.js";
import { RUN_KINDS, type RunHead } from "./run-store.js";
import { PLOTS, type PlotName, type StoredRuns, TABLES, type TableName } from "./stored.js";

const head = {
  id: z.number().int(),
  kind: z.enum(RUN_KINDS),
  strategy: z.string(),
  symbols: z.array(z.string()),
  interval: z.enum(INTERVALS),
  synthetic: z.boolean().describe("Whether its bars were of the synthetic market"),
  hash: z.string().describe(HASH_WORDS),
  job_id: z.number().int().nullable().describe("Null for one that was answered at once"),
  created_at: z.iso.datetime(),
  href: z.string(),
};
const headSchema = z.object(head).meta({ id: "BacktestHead" });
const runSchema = z
  .object({
    ...head,
    report: z.looseObject({}).describe("As its kind has it: figures, trades, folds, trials"),
  })
  .meta({ id: "BacktestRun" });

const runsQuery = z.strictObject({
  limit: wholeNumberText(1, 200).prefault("50"),
  before: wholeNumberText(1, Number.MAX_SAFE_INTEGER).optional().describe("Only runs with an id below this"),
  kind: z.enum(RUN_KINDS).optional().describe("Only runs of this kind"),
});
const runQuery = z.strictObject({
  format: z
    .enum(["json", "csv", "svg"])
    .default("json")
    .describe("json is the report, csv a table of it, svg a picture"),
  table: z
    .enum(TABLES)
    .default("trades")
    .describe("Of csv: trades; equity with the benchmark, bar by bar; or figures with their definitions"),
  plot: z.enum(PLOTS).default("equity").describe("Of svg; folds are those of a walk-forward"),
});
const runParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });

const PATIENCE_MS = 4_000;

const SCHEMA = {
  operationId: "getBacktest",
  tags: ["Backtests"],
  summary:
    "A backtest that was run, with its whole report; trades, equity or figures as CSV; or a picture as SVG",
  description: "Of a run of one's own, of any for an admin. The 500 newest of a user are kept.",
  params: runParams,
  querystring: runQuery,
  response: {
    200: {
      description: "The run",
      content: {
        "application/json": {
          schema: z.object({ success: z.literal(true), synthetic: z.boolean().optional(), data: runSchema }),
        },
        "text/csv": { schema: z.string().describe("A line of names, and one a trade, a bar or a figure") },
        "image/svg+xml": { schema: z.string() },
      },
    },
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "uri_too_long"] as const),
      ...(["backtest_not_found", "no_data", "symbol_unknown", "interval_unavailable"] as const),
      ...(["rate_limited", "internal", "overloaded", "timed_out", "shutting_down"] as const),
      ...(["provider_unavailable", "database_unavailable"] as const),
    ]),
  },
  security: [{ bearer: [] }, { apiKey: [] }],
};

function headView(run: RunHead) {
  const { id, kind, strategy, symbols, interval, synthetic, hash, jobId, createdAt } = run;
  const href = `/api/backtest/${id}`;
  return {
    id,
    kind,
    strategy,
    symbols: [...symbols],
    interval,
    synthetic,
    hash,
    job_id: jobId,
    created_at: isoTime(createdAt),
    href,
  };
}

/** Runs that are kept. */
export function storedBacktestRoutes(app: FastifyInstance, stored: StoredRuns): void {
  const routes = routeGroup(app, { tag: "Backtests", access: "viewer", perMinute: 60 });
  routes.get("/api/backtest", {
    id: "listBacktests",
    summary: "The caller's backtests, sweeps, walk-forwards, comparisons and reconciliations, newest first",
    query: runsQuery,
    answer: { data: z.array(headSchema), next: z.number().int().nullable().describe("Value of before") },
    async handle({ principal, query: { limit, ...filter } }) {
      const rows = await stored.list(principal, filter, limit);
      return { data: rows.map(headView), next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
    },
  });
  app.get<{
    Params: { id: number };
    Querystring: { format: "json" | "csv" | "svg"; table: TableName; plot: PlotName };
  }>(
    "/api/backtest/:id",
    { schema: SCHEMA, config: { access: "viewer", perMinute: 60 } },
    async ({ params: { id }, query: { format, table, plot }, principal }, reply) => {
      const caller = principal ?? NOBODY;
      if (format === "svg") {
        const picture = await within(PATIENCE_MS, () => stored.draw(caller, id, plot));
        return reply.type("image/svg+xml; charset=utf-8").send(picture);
      }
      if (format === "csv") {
        void reply.header("content-disposition", `attachment; filename="backtest-${id}-${table}.csv"`);
        return reply.type("text/csv; charset=utf-8").send(await stored.tableOf(caller, id, table));
      }
      const run = await stored.find(caller, id);
      const label = app.synthetic ? { synthetic: true } : {};
      return reply.send({ success: true, ...label, data: { ...headView(run), report: run.report } });
    },
  );
}
