import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import {
  accountText,
  attributionFields,
  performanceSchema,
  periodText,
  statisticsSchema,
} from "./account-schema.js";
import { attributionView, performanceView, statisticsView } from "./account-views.js";
import type { AccountLooks } from "./looks.js";
import type { Setup } from "./setups.js";

export interface AccountRouteOptions {
  readonly looks: AccountLooks;
  /** Shapes that are forming now, for the forecast. */
  readonly setups: (symbol: string | null) => Promise<readonly Setup[]>;
  readonly identify: (text: string) => string;
  readonly synthetic: boolean;
  readonly now: () => number;
}

export const OWN = ["account_not_found", "trading_halted"] as const;
const ofPeriod = z.strictObject({ period: periodText, account_id: accountText });
export const ofAccount = z.strictObject({ account_id: accountText });
const textOf = (days: number | null) => (days === null ? "all" : `${days}d`);

/** What the caller's account did. */
export function accountRoutes(app: FastifyInstance, options: AccountRouteOptions): void {
  const { looks, synthetic } = options;
  const routes = routeGroup(app, { tag: "Paper trading", access: "viewer", perMinute: 20 });

  routes.get("/api/trading-stats", {
    id: "getTradingStatistics",
    aliases: [
      { path: "/api/stats/trading", id: "getTradingStatisticsOfPeriod" },
      { path: "/api/paper-trades/stats", id: "getPaperTradeStatistics" },
    ],
    summary: "Closed trades in figures: of all, by pattern, symbol, strategy and hour",
    perMinute: 30,
    query: ofPeriod,
    answer: { data: statisticsSchema },
    errors: OWN,
    handle: async ({ query, principal }) => ({
      data: statisticsView(await looks.trades(principal.userId, query.account_id, query.period), synthetic),
    }),
  });
  routes.get("/api/paper-trades/performance", {
    id: "getPaperPerformance",
    summary: "Equity by day, returns, drawdown and exposure of an account, beside a benchmark",
    query: z.strictObject({
      period: periodText,
      benchmark: symbolText.optional().describe("Symbol; the usual one of the market unless given"),
      account_id: accountText,
    }),
    answer: { data: performanceSchema },
    errors: [...OWN, "symbol_invalid", "symbol_unknown"],
    async handle({ query, principal }) {
      const benchmark = query.benchmark === undefined ? null : options.identify(query.benchmark);
      const look = await looks.performance(principal.userId, query.account_id, query.period, benchmark);
      return { data: performanceView(look, synthetic) };
    },
  });
  routes.get("/api/analytics/attribution", {
    id: "getAttribution",
    aliases: [{ path: "/api/paper-trades/attribution", id: "getPaperAttribution" }],
    summary: "Gains of an account by layer, pattern, strategy and model, each table summing to the total",
    query: ofPeriod,
    answer: { data: z.object(attributionFields).meta({ id: "Attribution" }), ...attributionFields },
    errors: OWN,
    async handle({ query, principal }) {
      const found = await looks.attribution(principal.userId, query.account_id, query.period);
      const view = attributionView(found, textOf(query.period));
      return { data: view, ...view };
    },
  });
}
