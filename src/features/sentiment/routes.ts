import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { alertCondition, confidenceWith } from "../../core/sentiment/aggregate.js";
import { isoTime, type RouteGroup, routeGroup } from "../../platform/http.js";
import type { News } from "../news/news.js";
import {
  aggregateQuery,
  aggregateSchema,
  analyseBody,
  analysisSchema,
  conditionBody,
  conditionSchema,
  enhanceBody,
  enhancedSchema,
  sentimentSchema,
  symbolParams,
  twitterHealthSchema,
  twitterMetricsSchema,
} from "./schema.js";
import type { Sentiment } from "./sentiment.js";
import { sideOf } from "./side.js";
import { analysisView, measureView, modelView, sentimentView, twitterHealthView } from "./views.js";

export interface SentimentRouteOptions {
  readonly sentiment: Sentiment;
  readonly news: News;
  readonly now: () => number;
}

const SYMBOL_ERRORS = ["symbol_invalid", "symbol_unknown"] as const;
const SIDES = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

export function sentimentRoutes(app: FastifyInstance, options: SentimentRouteOptions): void {
  const { sentiment, news, now } = options;
  const routes = routeGroup(app, { tag: "Sentiment", access: "viewer", perMinute: 20 });

  routes.get("/api/sentiment/aggregate", {
    id: "getSentimentAggregate",
    summary: "Sentiment of several symbols, each and together",
    description: "A text about several of them counts once in the whole.",
    query: aggregateQuery,
    answer: { data: aggregateSchema },
    errors: SYMBOL_ERRORS,
    async handle({ query: { symbols } }) {
      const { overall, each } = await sentiment.survey(symbols ?? null);
      const { symbol: _, ...whole } = measureView({ symbol: "", ...overall }, now());
      return {
        data: {
          overall: whole,
          by_symbol: each.map((measure) => measureView(measure, now())),
          model: modelView(sentiment),
          as_of: isoTime(now()),
        },
      };
    },
  });
  routes.get("/api/sentiment/twitter-health", {
    id: "getTwitterHealth",
    summary: "Whether X answers, and what is left of its rate limit",
    perMinute: 30,
    answer: { data: twitterHealthSchema, metrics: twitterMetricsSchema },
    handle: () => twitterHealthView(news.feeds),
  });
  routes.get("/api/sentiment/:symbol", {
    id: "getSentiment",
    summary: "What news, Reddit and X say of a symbol, with history and the words behind it",
    description:
      "Sources without texts are left out and the weights of the others renewed; null where there is none.",
    params: symbolParams,
    answer: { data: sentimentSchema },
    errors: SYMBOL_ERRORS,
    async handle({ params: { symbol } }) {
      return { data: sentimentView(await sentiment.describe(symbol), sentiment, now()) };
    },
  });
  judgingRoutes(routes, options);
}

function judgingRoutes(routes: RouteGroup, { sentiment, now }: SentimentRouteOptions): void {
  routes.post("/api/sentiment/enhance-confidence", {
    id: "enhanceConfidence",
    summary: "A pattern's confidence moved by sentiment for or against its side, by a fifth at most",
    body: enhanceBody,
    answer: { data: enhancedSchema },
    errors: SYMBOL_ERRORS,
    async handle({ body: { symbol, base_confidence: base, pattern_type: pattern } }) {
      const measure = await sentiment.measure(symbol);
      const side = sideOf(pattern);
      const { confidence, change, reason } = confidenceWith(base, side, measure.aggregate);
      return {
        data: {
          symbol: measure.symbol,
          pattern_type: pattern,
          side: SIDES[side],
          base_confidence: base,
          enhanced_confidence: confidence,
          enhancement_factor: change,
          reason,
          sentiment: measureView(measure, now()),
          timestamp: isoTime(now()),
        },
      };
    },
  });
  routes.post("/api/sentiment/alert-condition", {
    id: "checkSentimentAlert",
    summary: "Whether sentiment alone is worth an alert, and if not, what it falls short of",
    description:
      "Confidence from 0.7, a score of size 0.5 or as given, and a thousand texts. Other fields are ignored.",
    body: conditionBody,
    answer: { data: conditionSchema },
    errors: SYMBOL_ERRORS,
    async handle({ body: { symbol, threshold } }) {
      const measure = await sentiment.measure(symbol);
      const { met, shortfalls } = alertCondition(measure.aggregate, threshold);
      const view = measureView(measure, now());
      const strong = view.sentiment_strength?.startsWith("strongly_") === true;
      const priority: z.output<typeof conditionSchema>["priority"] = met
        ? strong
          ? "high"
          : "medium"
        : "none";
      return {
        data: {
          should_alert: met,
          alert_reason: met ? `Sentiment is ${view.sentiment_strength}` : shortfalls.join("; "),
          priority,
          sentiment_data: view,
        },
      };
    },
  });
  routes.post("/api/sentiment/analyze", {
    id: "analyseText",
    summary: "The score of a text with the words behind it, by the server's own lexicon and classifier",
    body: analyseBody,
    answer: { data: analysisSchema },
    async handle({ body: { text } }) {
      const { version, found } = await sentiment.analyse(text);
      return { data: analysisView(found, version) };
    },
  });
}
