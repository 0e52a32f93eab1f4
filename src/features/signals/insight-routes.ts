import type { FastifyInstance } from "fastify";
import { AppError } from "../../platform/errors.js";
import { isoTime, routeGroup } from "../../platform/http.js";
import type { Workers } from "../../platform/workers.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import type { Evidence } from "../evidence/evidence.js";
import type { RegimeReading, Regimes } from "../regimes/regimes.js";
import { adviceFor, type Callers } from "./callers.js";
import { checkDetectors, type DetectorState } from "./detector-check.js";
import {
  healthAnswer,
  insightsBody,
  insightsSchema,
  patternsBody,
  patternsSchema,
  typesSchema,
} from "./insight-schema.js";
import { insightsView, NOT_ASKED, patternListView, typesView } from "./insight-views.js";
import type { PatternFinder } from "./pattern-list.js";
import type { Found } from "./reading.js";
import type { Signals } from "./signals.js";

export interface InsightRouteOptions extends Pick<Callers, "limitsOf" | "accountOf"> {
  readonly signals: Signals;
  readonly patternFinder: PatternFinder;
  readonly regimes: Pick<Regimes, "detect">;
  readonly evidence: Pick<Evidence, "list">;
  readonly workers: Workers;
  readonly now: () => number;
}

const REGIME_DAYS = 252;

export function insightRoutes(app: FastifyInstance, options: InsightRouteOptions): void {
  const { signals, patternFinder, evidence, workers, now } = options;
  const routes = routeGroup(app, { tag: "Signals", access: "viewer", perMinute: 30 });

  routes.post("/api/ml/advanced/patterns/detect", {
    id: "detectPatternsOverDays",
    summary: "Confirmed patterns of the last days, with what is measured of each and the trade on it",
    body: patternsBody,
    answer: { data: patternsSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbol, timeframe, lookback_days, min_confidence } }) {
      const list = await patternFinder.find(symbol, timeframe, lookback_days, min_confidence);
      return { data: patternListView(list, now()) };
    },
  });
  routes.post("/api/ml/advanced/insights/comprehensive", {
    id: "getInsights",
    summary: "Patterns, regime and sentiment of a symbol by the day, and what they say together",
    body: insightsBody,
    answer: { data: insightsSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbol, include_patterns, include_regime, include_sentiment }, principal }) {
      const silenced = {
        ...(include_patterns ? {} : { rules: NOT_ASKED }),
        ...(include_sentiment ? {} : { sentiment: NOT_ASKED }),
      };
      const [reading, regime] = await Promise.all([
        signals.read(symbol, "1d", silenced),
        include_regime ? regimeOf(options, symbol) : { value: null, reason: NOT_ASKED },
      ]);
      const parts = { patterns: include_patterns, sentiment: include_sentiment };
      const { advice } = await adviceFor(options, principal.userId, reading);
      return { data: insightsView(advice, regime, parts, now()) };
    },
  });
  routes.get("/api/ml/advanced/patterns/types", {
    id: "listPatternTypes",
    summary: "The 22 types of patterns, each with the variants of the pattern table that are it",
    answer: { data: typesSchema },
    handle: () => ({ data: typesView() }),
  });
  routes.get("/api/ml/advanced/health", {
    id: "getDetectorHealth",
    summary: "Whether the detectors find what is in bars of which that is known",
    access: "open",
    answer: healthAnswer,
    async handle() {
      const [{ patterns, regimes }, { run }] = await Promise.all([
        checkDetectors(workers),
        evidence.list({ leastN: Number.POSITIVE_INFINITY }),
      ]);
      return {
        status: patterns.healthy && regimes.healthy ? ("healthy" as const) : ("unhealthy" as const),
        services: { pattern_detector: serviceView(patterns), regime_detector: serviceView(regimes) },
        evidence: {
          measured_at: run === null ? null : isoTime(run.asOfMs),
          reason: run === null ? "No evidence has been measured yet" : null,
        },
        timestamp: isoTime(now()),
      };
    },
  });
}

function serviceView({ healthy, detail, ms }: DetectorState) {
  return { status: healthy ? ("healthy" as const) : ("unhealthy" as const), detail, ms };
}

/** Insights are there without a regime, too: of a share that is new on the exchange. */
async function regimeOf({ regimes }: InsightRouteOptions, symbol: string): Promise<Found<RegimeReading>> {
  try {
    return { value: await regimes.detect(symbol, "1d", REGIME_DAYS, true), reason: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return { value: null, reason: error.message };
  }
}
