import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { SYMBOL_ERRORS } from "../candles/schema.js";
import type { Outcomes } from "./outcomes.js";
import { loggedSchema, outcomeBody, reportBody } from "./schema.js";

const MESSAGE = "The outcome is recorded";

export function outcomeRoutes(app: FastifyInstance, { outcomes }: { outcomes: Outcomes }): void {
  const routes = routeGroup(app, { tag: "Alerts", access: "trader", perMinute: 20 });
  routes.post("/api/log_outcome", {
    id: "logOutcome",
    summary: "Report how a trade on an alert ended",
    body: outcomeBody,
    answer: { data: z.object({ id: z.number().int() }), message: z.string() },
    errors: SYMBOL_ERRORS,
    async handle({ body: { trade_duration: durationMin, ...report }, principal }) {
      const { id } = await outcomes.report(principal.userId, { ...report, durationMin });
      return { data: { id }, message: MESSAGE };
    },
  });
  routes.post("/api/outcomes/log", {
    id: "reportOutcome",
    summary: "Report how a trade ended, with its prices and times",
    description:
      "Kept as an outcome of the user, beside those that are settled on bars. The outcome follows from pnl, from " +
      "return_pct, or from both prices and a side, where it is not said. Of an alert a user has one outcome: told again it " +
      "is the same, and another is refused. So is a trade with closed_at the same that was told before; one without is new " +
      "each time.",
    perMinute: 30,
    body: reportBody,
    answer: { data: loggedSchema, message: z.string() },
    errors: [...SYMBOL_ERRORS, "alert_not_found", "conflict"],
    async handle({ body, principal }) {
      const { symbol, pattern, outcome, pnl, quantity, confidence, metadata, side } = body;
      const kept = await outcomes.report(principal.userId, {
        ...{ symbol, pattern, outcome, pnl, quantity, confidence, metadata },
        returnPct: body.return_pct,
        entry: body.entry_price,
        exit: body.exit_price,
        direction: side === undefined ? undefined : side === "long" ? 1 : -1,
        alertId: body.alert_id,
        interval: body.timeframe,
        openedAt: body.opened_at,
        closedAt: body.closed_at,
      });
      return { data: kept, message: MESSAGE };
    },
  });
}
