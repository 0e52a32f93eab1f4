import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccountNews } from "../../src/protocols/alpaca/account-news.js";
import { createTradeUpdates } from "../../src/protocols/alpaca/trade-updates.js";
import { type AlpacaProgram, startAlpacaProgram } from "../fixtures/alpaca.js";
import { eventually } from "../fixtures/faults.js";
import { silentLog } from "../fixtures/log.js";

let alpaca: AlpacaProgram;
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
});
afterAll(() => alpaca.program.close());

const call = async (method: "GET" | "POST", url: string, payload?: object) =>
  (
    await alpaca.program.call({
      method,
      url,
      headers: alpaca.headers,
      ...(payload === undefined ? {} : { payload }),
    })
  ).json();
const order = {
  symbol: "AAPL",
  qty: "1",
  side: "buy",
  type: "limit",
  limit_price: "1",
  time_in_force: "gtc",
};

describe("updates of trades", () => {
  it("go on with the account that takes the place of the usual one", async () => {
    const { parts } = alpaca.program;
    const { id } = await call("GET", "/v2/account");
    const row = await parts.paper.accounts.existing((await call("GET", "/api/auth/me")).data.user_id);
    expect(row?.id).toBe(id);
    const told: string[] = [];
    const end = await createTradeUpdates({
      ...parts,
      news: createAccountNews(parts.bus),
      log: silentLog,
    }).subscribe(
      { userId: row?.userId ?? "", role: "trader", anonymous: false },
      ({ event, order: { client_order_id } }) => told.push(`${event} ${client_order_id}`),
    );
    await call("POST", "/v2/orders", { ...order, client_order_id: "before" });
    await call("POST", `/api/paper-trade/accounts/${id}/reset`, {});
    await call("POST", "/v2/orders", { ...order, client_order_id: "after" });
    await eventually("both accounts told", () => told.includes("new after"), 10_000);
    expect(told).toEqual(["new before", "canceled before", "new after"]);
    end();
    await call("POST", "/v2/orders", { ...order, client_order_id: "late" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(told).toHaveLength(3);
  });
});
