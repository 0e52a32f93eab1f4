import type { FastifyInstance } from "fastify";
import { findVariant } from "../../core/patterns/index.js";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { variantOf } from "../catalogue/pattern-names.js";
import type { BacktestAnswers } from "./answers.js";
import { singleOrder } from "./order.js";
import { patternBacktestSchema, patternBody } from "./schema.js";
import { patternBacktestView } from "./views.js";

export function backtestRoutes(
  app: FastifyInstance,
  { answers, now }: { answers: Pick<BacktestAnswers, "runPattern">; now: () => number },
): void {
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 5 });
  routes.post("/api/patterns/backtest", {
    id: "backtestPattern",
    aliases: [{ path: "/api/backtest/pattern", id: "backtestPatternAlias" }],
    summary: "Trades on one pattern over the closed bars of a symbol, as the backtest of it does",
    description:
      "The run of POST /api/backtest with pattern_name and all else as it is by default, told pattern by pattern: one position at a time, " +
      "decided at a close and filled at the next open, out at stop, target or the open after the end of the horizon; the stop first where one bar has " +
      "both; costs of the instrument's class. Counted as a trial on these bars.",
    body: patternBody,
    answer: { data: patternBacktestSchema },
    errors: ["pattern_unknown", ...CANDLE_ERRORS],
    async handle({ body, principal }) {
      const variant = oneVariant(body);
      if (findVariant(variant)?.variant.direction === 0) {
        const detail = "body pattern: expects neither rise nor fall, so there is no trade on it";
        throw new AppError("invalid_request", detail);
      }
      const { symbol, timeframe: interval, start_date, end_date } = body;
      const order = singleOrder.parse({ pattern_name: variant, symbol, interval, start_date, end_date });
      return { data: patternBacktestView(await answers.runPattern(principal.userId, order), now()) };
    },
  });
}

/** @throws {AppError} `pattern_unknown`, `invalid_request` for two names that are of different patterns. */
function oneVariant({
  pattern,
  pattern_name: name,
}: {
  pattern?: string | undefined;
  pattern_name?: string | undefined;
}) {
  const [first = "", second] = [pattern, name].flatMap((each) => each ?? []);
  const variant = variantOf(first);
  if (second !== undefined && variantOf(second) !== variant) {
    throw new AppError(
      "invalid_request",
      "body pattern_name: names another pattern than pattern does; give one of them",
    );
  }
  return variant;
}
