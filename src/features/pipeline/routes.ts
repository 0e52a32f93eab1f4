import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { readingTickRows, readingTickText } from "../../core/ticks/read-ndjson.js";
import { AppError } from "../../platform/errors.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import { idempotencyKeyOf } from "../../platform/idempotency.js";
import { inSlices } from "../../platform/slices.js";
import { findingRoutes, symbolOf } from "./finding-routes.js";
import { indicatorsView, matricesView } from "./look-views.js";
import { ownKey, type Pipeline, type SentTicks } from "./pipeline.js";
import { quoteRoute } from "./quote-routes.js";
import {
  indicatorsSchema,
  MOST_ROWS,
  matrixSchema,
  receipt,
  statusSchema,
  symbolParams,
  ticksBody,
} from "./schema.js";
import { statusView } from "./status.js";

export interface PipelineRouteOptions {
  readonly pipeline: Pipeline;
}

const BODY_LIMIT = 16 * 1_024 * 1_024;
/** Ticks that callers send are one source, whoever they are. */
export const SENT_SOURCE = "sent";

/** Ticks in, and what the pipeline makes of them. */
export function pipelineRoutes(app: FastifyInstance, options: PipelineRouteOptions): void {
  // Lines of JSON are read here alone.
  app.register((scope, _options, ready) => {
    scope.addContentTypeParser<string>(
      ["application/x-ndjson", "application/jsonl"],
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (_request, body, done) => done(null, body),
    );
    // A key __proto__ is one of those that are passed over, as in lines: rows become no prototypes of anything.
    const parse = scope.getDefaultJsonParser("ignore", "ignore");
    scope.removeContentTypeParser("application/json");
    scope.addContentTypeParser<string>(
      "application/json",
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (request, body, done) => {
        if (body === "") done(null, undefined);
        else void parse(request, body, done);
      },
    );
    const routes = routeGroup(scope, { tag: "Pipeline", access: "viewer", perMinute: 120 });
    intakeRoute(routes, options);
    quoteRoute(routes, options.pipeline);
    lookRoutes(routes, options);
    findingRoutes(routes, options);
    ready();
  });
}

function intakeRoute(routes: RouteGroup, { pipeline }: PipelineRouteOptions): void {
  routes.post("/api/ticks", {
    id: "sendTicks",
    summary: "Send trades, as JSON or lines of JSON",
    description:
      "Answered once what was accepted is kept: a restart loses none of it. The header Idempotency-Key, 1 to 255 visible " +
      "characters, makes a repeated batch the same, as long as it is among the newest 10,000 keys and ten minutes. A trade with an id is known by its " +
      "symbol, id and time while its bar is open, the newest 131,072 of a symbol at a time, and late after it: sent twice, it is counted once. The first trade of a symbol is believed, whatever its price, for it has none to be measured by. " +
      "PIPELINE_REGULAR_HOURS says whether only regular hours count.",
    access: "trader",
    perMinute: 60_000,
    bodyLimit: BODY_LIMIT,
    rowByRow: true,
    body: ticksBody,
    answer: receipt,
    errors: ["pipeline_elsewhere", "idempotency_key_reused"],
    async handle({ body, request, principal }) {
      const sent = await readBody(body);
      const key = ownKey(principal, idempotencyKeyOf(request));
      const { rejected, held, ...rest } = await pipeline.take(sent, SENT_SOURCE, key);
      return { ...rest, rejected: [...rejected], held: [...held] };
    },
  });
}

/** @throws {AppError} `invalid_request` for what has no rows at all, or too many. */
async function readBody(body: z.output<typeof ticksBody>): Promise<SentTicks> {
  if (typeof body !== "string") return inSlices(readingTickRows(Array.isArray(body) ? body : body.ticks));
  const read = await inSlices(readingTickText(body, MOST_ROWS));
  if ("problem" in read) throw new AppError("invalid_request", `body: ${read.problem}`);
  return read;
}

function lookRoutes(routes: RouteGroup, { pipeline }: PipelineRouteOptions): void {
  routes.get("/api/pipeline/status", {
    id: "getPipelineStatus",
    summary: "What the pipeline has done, how fast, and what it refused",
    answer: { data: statusSchema },
    handle: async () => ({ data: await statusView(pipeline) }),
  });
  routes.get("/api/pipeline/:symbol/indicators", {
    id: "getPipelineIndicators",
    summary:
      "MLMI, NW-RQK, fair value gaps, low volume nodes and the kind of market, as of the newest closed bars",
    params: symbolParams,
    answer: { data: indicatorsSchema },
    errors: ["symbol_invalid", "no_data", "pipeline_elsewhere"],
    async handle({ params }) {
      const symbol = symbolOf(params.symbol);
      return { data: indicatorsView(symbol, await pipeline.look(symbol)) };
    },
  });
  routes.get("/api/pipeline/:symbol/matrices", {
    id: "getPipelineMatrices",
    summary: "The three matrices with the names, formulas and bar times of their rows",
    params: symbolParams,
    answer: { data: z.array(matrixSchema), symbol: z.string() },
    errors: ["symbol_invalid", "no_data", "pipeline_elsewhere"],
    async handle({ params }) {
      const symbol = symbolOf(params.symbol);
      return { data: matricesView(await pipeline.look(symbol)), symbol };
    },
  });
}
