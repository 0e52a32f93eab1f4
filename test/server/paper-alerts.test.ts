import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

interface Alert {
  readonly id: number;
  readonly symbol: string;
  readonly pattern: string;
  readonly score: number;
  readonly direction: "bullish" | "bearish" | "neutral";
  readonly metadata: {
    readonly suggested_action: string;
    readonly risk_suggestions: { readonly stop_loss: number; readonly take_profit: number } | null;
  };
}

let program: TestProgram;
let alerts: Alert[];
beforeAll(async () => {
  program = await startScannedProgram();
  alerts = (await (await program.call("/api/alerts?limit=200")).json()).alerts;
  await post("/api/risk-settings", { max_position_size: 100_000, max_open_positions: 20 });
});
afterAll(() => program.close());

const post = async (url: string, payload: object) => {
  const answer = await program.call({ method: "POST", url, payload });
  return { status: answer.statusCode, ...(await answer.json()) };
};
const get = async (url: string) => (await program.call(url)).json();
const EXECUTE = "/api/paper-trade/execute-from-alert";

/** One that rises, with levels. */
const rising = () =>
  ensure(
    alerts.find(({ direction, metadata }) => direction === "bullish" && metadata.risk_suggestions !== null),
    "an alert that rises",
  );

describe("POST /api/paper-trade/execute-from-alert", () => {
  it("200 places an entry with the alert's stop and target on ticks, and keeps what it was placed for", async () => {
    const alert = rising();
    const levels = ensure(alert.metadata.risk_suggestions, "levels");
    const placed = await post(EXECUTE, { alert_id: String(alert.id), quantity: 1 });
    expect(placed).toMatchObject({
      status: 200,
      trade: { symbol: alert.symbol, side: "BUY", pattern: alert.pattern },
    });
    const { data } = await get(`/api/paper-trade/orders/${placed.trade.order_id}`);
    expect(data).toMatchObject({ order_class: "bracket", type: "market", time_in_force: "gtc" });
    const [target, stop] = data.legs;
    expect(target).toMatchObject({ role: "target", state: "held" });
    expect(target.limit_price).toBeCloseTo(levels.take_profit, 1);
    expect(stop.stop_price).toBeCloseTo(levels.stop_loss, 1);
    const { paper } = program.parts;
    const cause = await paper.ledger.look(placed.trade.account_id, (_desk, { causes }) =>
      causes.get(placed.trade.order_id),
    );
    expect(cause).toMatchObject({
      origin: "alert",
      alertId: alert.id,
      pattern: alert.pattern,
      direction: 1,
      layers: [{ name: "rule_based", contribution: alert.score }],
    });
  });

  it("200 takes levels and side from the caller, with the symbol alone too", async () => {
    const { price } = (await get("/api/market/AAPL")).data;
    const round = (value: number) => Math.round(100 * value) / 100;
    const said = { stop_loss: round(0.9 * price), take_profit: null };
    const placed = await post(EXECUTE, {
      symbol: "AAPL",
      suggested_action: "buy",
      qty: 2,
      alert_type: "mine",
      risk_suggestions: said,
    });
    const { data } = await get(`/api/paper-trade/orders/${placed.trade.order_id}`);
    expect(data).toMatchObject({
      order_class: "oto",
      quantity: 2,
      legs: [{ role: "stop", stop_price: said.stop_loss }],
    });
  });

  it("400, 404, 409 for one without a way, one that is none, and without the token that is demanded", async () => {
    expect(await post(EXECUTE, { alert_id: 999_999_999 })).toMatchObject({
      status: 404,
      code: "alert_not_found",
    });
    expect(await post(EXECUTE, {})).toMatchObject({ status: 400 });
    expect(await post(EXECUTE, { symbol: "AAPL" })).toMatchObject({ status: 400 });
    await post("/api/risk-settings", { require_confirmation: true });
    expect(await post(EXECUTE, { alert_id: rising().id })).toMatchObject({
      status: 409,
      code: "confirmation_refused",
    });
    await post("/api/risk-settings", { require_confirmation: false });
  });
});
