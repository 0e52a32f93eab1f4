import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { STRATEGIES } from "../../core/strategies/index.js";
import { wordsOf } from "../../core/strategies/parameters.js";
import { AppError } from "../../platform/errors.js";
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
  strategy_name: z
    .string()
    .min(1)
    .max(100)
    .default("Patterns")
    .describe("What the answer calls the list of patterns; refused where it is the name of another strategy"),
  symbols: z.array(symbolText).min(1).max(SYMBOLS_LIMIT).default(["AAPL"]),
  patterns: z
    .array(z.string().min(1).max(60))
    .min(1)
    .max(100)
    .optional()
    .describe("Ids or titles, in any spelling; six common ones without it, which a note says"),
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

/** @throws {AppError} `invalid_request` for the name of a strategy that is not traded here. */
function refuseStrategy(name: string): void {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const other = STRATEGIES.find(({ id, title }) => [id, title].some((each) => plain(each) === plain(name)));
  if (other === undefined || other.id === "pattern_list") return;
  const detail = `body strategy_name: ${other.id} is a strategy, and patterns are traded here; ask POST /api/backtest with strategy_id ${other.id}`;
  throw new AppError("invalid_request", detail);
}

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
      refuseStrategy(body.strategy_name);
      const found = await answers.runList(principal.userId, {
        ...body,
        entry: body.entry_strategy,
        exit: body.exit_strategy.startsWith("opposite") ? "opposite" : "levels",
        stopLossPct: body.stop_loss_pct,
        takeProfitPct: body.take_profit_pct,
      });
      const patterns = wordsOf(String(found.chosen.values.patterns));
      const named = `no patterns were named, and six common ones were traded: ${patterns.join(", ")}`;
      const notes = body.patterns === undefined ? [named] : [];
      return { data: listBacktestView(found, { name: body.strategy_name, patterns, notes }, now()) };
    },
  });
}
