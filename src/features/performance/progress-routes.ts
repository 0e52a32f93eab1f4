import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import { type AccountRouteOptions, OWN, ofAccount } from "./account-routes.js";
import {
  accountText,
  achievementSchema,
  dayStreakFields,
  forecastFields,
  forecastSchema,
  tradeStreakSchema,
  userStatsSchema,
} from "./account-schema.js";
import { achievementViews, forecastView, predictionsOf, streakViews } from "./account-views.js";
import type { AccountLooks } from "./looks.js";

/** What is to be expected, and how far the caller has come. */
export function progressRoutes(
  app: FastifyInstance,
  { looks, setups, identify, now }: AccountRouteOptions,
): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "viewer", perMinute: 30 });

  routes.get("/api/analytics/forecast", {
    id: "getForecast",
    summary: "Where equity or a price may go if days to come are like those there were",
    perMinute: 20,
    query: z.strictObject({
      symbol: symbolText.optional(),
      timeframe: z
        .string()
        .regex(/^\d{1,3}d$/, "must be a number of days such as 30d")
        .default("30d")
        .describe("Days ahead such as 30d"),
      account_id: accountText,
    }),
    answer: { data: forecastSchema, ...forecastFields },
    errors: [
      ...OWN,
      "symbol_invalid",
      "symbol_unknown",
      "interval_unavailable",
      "no_data",
      "provider_unavailable",
    ],
    async handle({ query, principal }) {
      const { timeframe } = query;
      const symbol = query.symbol === undefined ? null : identify(query.symbol);
      const days = Math.max(1, Number(timeframe.slice(0, -1)));
      const [found, upcoming] = await Promise.all([
        looks.forecast(principal.userId, query.account_id, symbol, days),
        setups(symbol),
      ]);
      const name = symbol ?? "PORTFOLIO";
      return {
        data: forecastView(found, name, timeframe),
        period: timeframe,
        predictions: predictionsOf(found, name),
        upcoming_setups: [...upcoming],
      };
    },
  });
  streakRoute(routes, looks, now);
  routes.get("/api/achievements", {
    id: "getAchievements",
    summary:
      "What the caller's trades have unlocked: those of all accounts, closed ones too, or of one that is named",
    query: ofAccount,
    answer: {
      data: z.object({
        total_unlocked: z.number().int(),
        total_available: z.number().int(),
        achievements: z.array(achievementSchema),
        recent_unlocks: z.array(achievementSchema).describe("The newest three"),
      }),
      achievements: z.array(achievementSchema),
      user_stats: userStatsSchema,
    },
    errors: OWN,
    async handle({ query, principal }) {
      const look = await looks.career(principal.userId, query.account_id);
      const { achievements, stats } = achievementViews(look);
      const recent = achievements
        .filter(({ unlocked }) => unlocked)
        .sort((a, b) => String(b.unlocked_at).localeCompare(String(a.unlocked_at)));
      return {
        data: {
          total_unlocked: stats.unlocked_achievements,
          total_available: stats.total_achievements,
          achievements,
          recent_unlocks: recent.slice(0, 3),
        },
        achievements,
        user_stats: stats,
      };
    },
  });
}

function streakRoute(routes: RouteGroup, looks: AccountLooks, now: () => number): void {
  routes.get("/api/streak", {
    id: "getStreak",
    summary: "Winning and losing runs of trades, and of days, over all accounts or in one that is named",
    query: ofAccount,
    answer: { data: tradeStreakSchema, ...dayStreakFields },
    errors: OWN,
    handle: async ({ query, principal }) =>
      streakViews(await looks.career(principal.userId, query.account_id), now()),
  });
}
