import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import { SYMBOL_ERRORS } from "../candles/schema.js";
import { variantOf } from "../catalogue/pattern-names.js";
import type { Risk } from "./risk.js";
import {
  checkSchema,
  planBody,
  redeemBody,
  redeemedSchema,
  settingsBody,
  sizeSchema,
  sizingBody,
} from "./schema.js";
import { riskSettingsSchema } from "./settings.js";
import { checkView, sizeView } from "./views.js";

const CHECK_ERRORS = [...SYMBOL_ERRORS, "pattern_unknown"] as const;

export function riskRoutes(app: FastifyInstance, { risk, now }: { risk: Risk; now: () => number }): void {
  const routes = routeGroup(app, { tag: "Risk", access: "viewer", perMinute: 30 });

  async function check(userId: string, body: z.output<typeof planBody>) {
    const { symbol, side, quantity, entry = null, stop_loss = null, take_profit = null } = body;
    const pattern = body.pattern_type === undefined ? null : variantOf(body.pattern_type);
    const { timeframe: interval, account_size: equity = null, ttl_seconds } = body;
    const plan = { symbol, side, quantity, entry, stop: stop_loss, target: take_profit };
    const ttlMs = 1_000 * ttl_seconds;
    return checkView(await risk.check(userId, { ...plan, pattern, interval, equity, ttlMs }), now());
  }

  for (const [path, id] of [
    ["/api/risk/pre-trade-check", "checkTrade"],
    ["/api/risk-assessment", "assessRisk"],
  ] as const) {
    routes.post(path, {
      id,
      summary: "Hold an order against the market, the account and the caller's limits",
      description:
        "What is refused is named with the values that were compared. An order that passes gets a token for one use. " +
        "What could not be looked at is listed, and an order that passes without it is approved in part.",
      body: planBody,
      answer: { data: checkSchema },
      errors: CHECK_ERRORS,
      handle: async ({ body, principal }) => ({ data: await check(principal.userId, body) }),
    });
  }
  routes.post("/api/risk/confirmations", {
    id: "redeemConfirmation",
    summary: "Use the token of a pre-trade check up for an order",
    body: redeemBody,
    answer: { data: redeemedSchema },
    errors: ["confirmation_refused", "symbol_invalid", "symbol_unknown"],
    async handle({ body, principal }) {
      const { token, side, entry, quantity, stop_loss = null, take_profit = null } = body;
      const symbol = risk.identify(body.symbol);
      const order = { symbol, side, entry, quantity, stop: stop_loss, target: take_profit };
      const unchecked = [...(await risk.redeem(principal.userId, token, order))];
      return { data: { accepted: true as const, symbol, complete: unchecked.length === 0, unchecked } };
    },
  });
  routes.post("/api/position-sizing", {
    id: "sizePosition",
    summary: "Units to trade for a stop, by a share of the account, by volatility, or by capped Kelly",
    body: sizingBody,
    answer: { data: sizeSchema },
    errors: CHECK_ERRORS,
    async handle({ body, principal }) {
      const { entry, stop, size } = await risk.size(principal.userId, {
        symbol: body.symbol ?? null,
        method: body.method,
        equity: body.account_size,
        riskPercent: body.risk_pct ?? null,
        entry: body.entry ?? null,
        stop: body.stop_loss ?? null,
        range: body.atr ?? null,
        winRate: body.win_rate ?? null,
        payoff: body.payoff ?? null,
      });
      return { data: { ...sizeView(size), entry, stop_loss: stop } };
    },
  });
  routes.get("/api/risk-settings", {
    id: "getRiskSettings",
    summary: "What the caller allows trades to risk",
    perMinute: 20,
    answer: { data: riskSettingsSchema },
    handle: async ({ principal }) => ({ data: await risk.settings.load(principal.userId) }),
  });
  routes.post("/api/risk-settings", {
    id: "saveRiskSettings",
    summary: "Change what the caller allows; fields left out stay as they are",
    perMinute: 10,
    body: settingsBody,
    answer: { data: riskSettingsSchema },
    handle: async ({ body, principal }) => ({ data: await risk.settings.change(principal.userId, body) }),
  });
}
