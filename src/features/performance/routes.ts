import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { DAY_MS } from "../../core/market/day.js";
import { isoTime, routeGroup, wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import { titleOf, variantOf } from "../catalogue/pattern-names.js";
import type { DetectionCount } from "../detections/statistics.js";
import type { Instruments } from "../instruments/instruments.js";
import type { ForwardGroup } from "./forward.js";
import { performanceSchema, summarySchema } from "./schema.js";
import type { PerformanceStore, ReportedGroup } from "./store.js";

const TOP_SYMBOLS = 25;
const windowText = wholeNumberText(1, 365).prefault("30").describe("Days");

export interface PerformanceRouteOptions {
  readonly performance: PerformanceStore;
  readonly forward: () => Promise<readonly ForwardGroup[]>;
  readonly instruments: Pick<Instruments, "identify">;
  readonly gateway: { readonly synthetic: boolean };
  readonly now: () => number;
}

export function performanceRoutes(app: FastifyInstance, options: PerformanceRouteOptions): void {
  const { performance, instruments, gateway, now } = options;
  const { synthetic } = gateway;
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 20 });

  for (const [path, id] of [
    ["/api/pattern-performance", "getPatternPerformance"],
    ["/api/stats/patterns", "getPatternStatistics"],
  ] as const) {
    routes.get(path, {
      id,
      summary: "Stored detections of a number of days, by pattern and by symbol",
      query: z.strictObject({
        window: windowText,
        pattern: z.string().min(1).max(60).optional(),
        symbol: symbolText.optional(),
      }),
      answer: { data: performanceSchema },
      errors: ["pattern_unknown", "symbol_invalid", "symbol_unknown"],
      async handle({ query: { window, pattern: text, symbol: given } }) {
        const sinceMs = now() - window * DAY_MS;
        const pattern = text === undefined ? null : variantOf(text);
        const symbol = given === undefined ? null : instruments.identify(given).symbol;
        const filter = { synthetic, sinceMs, pattern, symbol };
        const [total, patterns, symbols] = await Promise.all([
          performance.total(filter),
          performance.byPattern(filter),
          performance.bySymbol(filter, TOP_SYMBOLS),
        ]);
        const { patterns: kinds, symbols: traded } = total;
        return {
          data: {
            overall: { ...figures(total), patterns: kinds, symbols: traded },
            by_pattern: patterns.map((group) => ({
              pattern: group.pattern,
              name: titleOf(group.pattern),
              ...figures(group),
            })),
            by_symbol: symbols.map((group) => ({ symbol: group.symbol, ...figures(group) })),
            meta: { window, since: isoTime(sinceMs), pattern, symbol, synthetic },
          },
        };
      },
    });
  }

  routes.get("/api/pattern-performance/summary", {
    id: "getPatternPerformanceSummary",
    summary: "How trades on patterns ended: as users reported them, and as measured since deployment",
    perMinute: 30,
    query: z.strictObject({ window: windowText }),
    answer: { data: summarySchema },
    async handle({ query: { window } }) {
      const sinceMs = now() - window * DAY_MS;
      const [total, patterns, symbols, forward] = await Promise.all([
        performance.total({ synthetic, sinceMs }),
        performance.reportedBy("pattern", synthetic, sinceMs),
        performance.reportedBy("symbol", synthetic, sinceMs),
        options.forward(),
      ]);
      return {
        data: {
          detections: {
            count: total.count,
            note: "Counts of what was seen; whether it came true is under outcomes and in /api/patterns/evidence",
          },
          outcomes: {
            available: patterns.length + forward.length > 0,
            by_pattern: patterns.map((group) => ({ pattern: group.key, ...ended(group) })),
            by_symbol: symbols.map((group) => ({ symbol: group.key, ...ended(group) })),
            measured: forward.map(({ pattern, trades, winRate }) => ({
              pattern,
              trades,
              win_rate: winRate,
            })),
          },
          meta: { window, since: isoTime(sinceMs), pattern: null, symbol: null, synthetic },
        },
      };
    },
  });
}

function figures({ count, confidence, quality }: DetectionCount) {
  return { detections: count, avg_confidence: confidence, avg_quality: quality };
}

function ended({ trades, wins, pnl }: ReportedGroup) {
  return { trades, win_rate: wins / trades, avg_pnl: pnl };
}
