import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Instruments } from "../instruments/instruments.js";
import type { OutcomeStore } from "./store.js";

const outcomeBody = z.strictObject({
  symbol: z.string().min(1).max(40),
  pattern: z.string().min(1).max(60),
  outcome: z.enum(["profit", "loss", "breakeven"]),
  pnl: z.number().optional().describe("In the currency of the instrument"),
  confidence: z
    .number()
    .min(0)
    .max(100)
    .transform((value) => (value > 1 ? value / 100 : value))
    .optional()
    .describe("As the user saw it, 0..1 or in percent"),
  trade_duration: z.number().min(0).optional().describe("Minutes"),
});

export interface OutcomeRouteOptions {
  readonly outcomes: OutcomeStore;
  readonly instruments: Instruments;
}

export function outcomeRoutes(app: FastifyInstance, { outcomes, instruments }: OutcomeRouteOptions): void {
  const routes = routeGroup(app, { tag: "Alerts", access: "trader", perMinute: 20 });
  routes.post("/api/log_outcome", {
    id: "logOutcome",
    summary: "Report how a trade on an alert ended",
    body: outcomeBody,
    answer: { data: z.object({ id: z.number().int() }), message: z.string() },
    errors: ["symbol_invalid", "symbol_unknown", "no_data", "provider_unavailable"],
    async handle({ body, principal }) {
      const instrument = await instruments.resolve(body.symbol);
      const id = await outcomes.save({
        userId: principal.userId,
        instrumentId: instrument.id,
        symbol: instrument.symbol,
        pattern: body.pattern,
        outcome: body.outcome,
        pnl: body.pnl ?? null,
        confidence: body.confidence ?? null,
        durationMin: body.trade_duration ?? null,
      });
      return { data: { id }, message: "The outcome is recorded" };
    },
  });
}
