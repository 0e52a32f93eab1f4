import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Alerts } from "../alerts/alerts.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { Overview } from "../market/overview.js";
import type { ForwardGroup } from "./forward.js";
import type { PerformanceStore } from "./store.js";

export interface SummaryRouteOptions {
  readonly performance: Pick<PerformanceStore, "total">;
  readonly alerts: Pick<Alerts, "statistics">;
  readonly overview: Pick<Overview, "loadConditions">;
  readonly forward: () => Promise<readonly ForwardGroup[]>;
  readonly gateway: { readonly synthetic: boolean };
}

const TOP = 5;
const topSchema = z.array(
  z.object({ name: z.string(), success_rate: z.number().describe("Percent"), trades: z.number().int() }),
);

/** The whole at a glance. */
export function summaryRoutes(app: FastifyInstance, options: SummaryRouteOptions): void {
  const { performance, alerts, overview, forward, gateway } = options;
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 20 });

  routes.get("/api/analytics/summary", {
    id: "getAnalyticsSummary",
    summary:
      "What was seen and alerted, the mood of the market, and the patterns that did best since deployment",
    answer: {
      data: z
        .object({
          total_patterns_detected: z.number().int(),
          active_alerts: z.number().int(),
          total_alerts_today: z.number().int().describe("Raised in the last 24 hours"),
          market_sentiment: z
            .enum(["bullish", "neutral", "bearish"])
            .nullable()
            .describe("Null where too little is known"),
          success_rate: z
            .number()
            .nullable()
            .describe(
              "Percent of the trades on patterns seen since deployment that reached the target first",
            ),
          success_sample: z.number().int(),
          top_performing_patterns: topSchema,
          top_performers: topSchema,
          synthetic: z.boolean(),
        })
        .meta({ id: "AnalyticsSummary" }),
    },
    async handle() {
      const [total, today, mood, groups] = await Promise.all([
        performance.total({ synthetic: gateway.synthetic, sinceMs: 0 }),
        alerts.statistics(1),
        overview.loadConditions(),
        forward(),
      ]);
      const trades = groups.reduce((sum, group) => sum + group.trades, 0);
      const hits = groups.reduce((sum, group) => sum + group.winRate * group.trades, 0);
      const best = [...groups]
        .sort((a, b) => b.winRate - a.winRate || b.trades - a.trades)
        .slice(0, TOP)
        .map((group) => ({
          name: titleOf(group.pattern),
          success_rate: 100 * group.winRate,
          trades: group.trades,
        }));
      return {
        data: {
          total_patterns_detected: total.count,
          active_alerts: today.active,
          total_alerts_today: today.total,
          market_sentiment: mood.judgement.mood,
          success_rate: trades === 0 ? null : (100 * hits) / trades,
          success_sample: trades,
          top_performing_patterns: best,
          top_performers: best,
          synthetic: gateway.synthetic,
        },
      };
    },
  });
}
