import type { FastifyInstance } from "fastify";
import { findVariant } from "../../core/patterns/index.js";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { variantOf } from "../catalogue/pattern-names.js";
import type { Backtests } from "./backtests.js";
import type { BacktestDesk } from "./feature.js";
import { patternBacktestSchema, patternBody } from "./schema.js";
import { patternBacktestView } from "./views.js";

const TWO_YEARS_MS = 2 * 365.25 * 86_400_000;

export function backtestRoutes(
  app: FastifyInstance,
  { backtests, count, now }: { backtests: Backtests; count: BacktestDesk["countPattern"]; now: () => number },
): void {
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 5 });
  routes.post("/api/patterns/backtest", {
    id: "backtestPattern",
    aliases: [{ path: "/api/backtest/pattern", id: "backtestPatternAlias" }],
    summary: "Trades on one pattern over the closed bars of a symbol, by the policy of the evidence",
    description:
      "One position at a time: in at the next open, out at stop, target or the end of the horizon; the stop first where one bar has both; costs of the instrument's class. Counted as a trial on these bars.",
    body: patternBody,
    answer: { data: patternBacktestSchema },
    errors: ["pattern_unknown", ...CANDLE_ERRORS],
    async handle({ body, principal }) {
      const variant = variantOf(body.pattern ?? body.pattern_name ?? "");
      if (findVariant(variant)?.variant.direction === 0) {
        const detail = "body pattern: expects neither rise nor fall, so there is no trade on it";
        throw new AppError("invalid_request", detail);
      }
      const toMs = body.end_date ?? now();
      const fromMs = body.start_date ?? toMs - TWO_YEARS_MS;
      if (fromMs >= toMs) throw new AppError("invalid_request", "body start_date: must lie before end_date");
      const found = await backtests.tradePattern(body.symbol, body.timeframe, variant, fromMs, toMs);
      return { data: patternBacktestView(found, await count(principal.userId, found), now()) };
    },
  });
}
