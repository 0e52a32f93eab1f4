import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { wordsOf } from "../../core/strategies/parameters.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolText } from "../candles/schema.js";
import { backtestSchema, listBacktestSchema, strategySchema } from "./answer-schema.js";
import { backtestView, listBacktestView } from "./answer-views.js";
import type { BacktestAnswers } from "./answers.js";
import { runFields, SYMBOLS_LIMIT, singleOrder } from "./order.js";
import { strategyViews } from "./strategy-views.js";

const singleBody = singleOrder.omit({ symbols: true }).extend({
  min_confidence: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("Read from existing clients and answered with a note: strategies tell no confidence"),
});

const listBody = z.strictObject({
  ...runFields,
  strategy_name: z.string().min(1).max(100).default("Patterns").describe("What the answer calls it"),
  symbols: z.array(symbolText).min(1).max(SYMBOLS_LIMIT).default(["AAPL"]),
  patterns: z
    .array(z.string().min(1).max(60))
    .max(100)
    .default([])
    .describe("Ids or titles, in any spelling; six common ones without any"),
  entry_strategy: z
    .enum(["immediate", "next_candle"])
    .default("immediate")
    .describe("At the next open, or after one more bar that closes further"),
  exit_strategy: z
    .enum(["levels", "stop_loss_take_profit", "opposite", "opposite_signal"])
    .default("levels")
    .describe("By stop, target and time, or also at a pattern of the other direction"),
  stop_loss_pct: z.number().min(0.1).max(50).default(5).describe("Percent below the close"),
  take_profit_pct: z.number().min(0.1).max(200).default(10).describe("Percent above the close"),
});

const ERRORS = ["strategy_unknown", "strategy_unfit", "pattern_unknown", ...CANDLE_ERRORS] as const;

/** Strategies, and the backtests that are answered at once. */
export function backtestAnswerRoutes(
  app: FastifyInstance,
  { answers, now }: { answers: BacktestAnswers; now: () => number },
): void {
  const routes = routeGroup(app, { tag: "Backtests", access: "viewer", perMinute: 20 });
  routes.get("/api/strategies", {
    id: "listStrategies",
    summary: "Every strategy with its parameters as a form, and what it needs",
    answer: { data: z.array(strategySchema) },
    handle: () => ({ data: strategyViews() }),
  });
  routes.post("/api/backtest", {
    id: "runBacktest",
    summary: "Backtest a strategy or a pattern on one symbol, answered at once",
    description:
      "Decided at a close, filled from the next open on, of at most 20,000 bars; longer ones are jobs under " +
      "/api/backtest/run. Every trial is counted: the answer says how many there were on these bars and what the " +
      "result is worth after them.",
    perMinute: 5,
    body: singleBody,
    answer: { data: backtestSchema },
    errors: ERRORS,
    async handle({ body: { min_confidence, ...order }, principal }) {
      const found = await answers.runSingle(principal.userId, order);
      const notes =
        min_confidence === undefined || min_confidence === 0
          ? []
          : [`min_confidence ${min_confidence} was not applied: strategies tell no confidence`];
      return { data: backtestView(found, notes, now()) };
    },
  });
  routes.post("/api/backtest/strategy", {
    id: "runPatternList",
    summary: "Backtest a list of patterns over symbols in one account, answered at once",
    description: "Of at most 20,000 bars in all. The stop is the first within a bar that holds both.",
    perMinute: 5,
    body: listBody,
    answer: { data: listBacktestSchema },
    errors: ERRORS,
    async handle({ body, principal }) {
      const found = await answers.runList(principal.userId, {
        ...body,
        entry: body.entry_strategy,
        exit: body.exit_strategy.startsWith("opposite") ? "opposite" : "levels",
        stopLossPct: body.stop_loss_pct,
        takeProfitPct: body.take_profit_pct,
      });
      const patterns = wordsOf(String(found.chosen.values.patterns));
      return { data: listBacktestView(found, { name: body.strategy_name, patterns }, now()) };
    },
  });
}
