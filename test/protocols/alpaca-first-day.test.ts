import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, checkedSender, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";

const check = createVendorChecker();

let alpaca: AlpacaProgram;
const wrong: string[] = [];
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
});
afterAll(() => alpaca.program.close());

const send = checkedSender(() => alpaca, check, wrong);

describe("the first day of an account", () => {
  it("is told from what was paid in", async () => {
    const order = { symbol: "AAPL", side: "buy", qty: "10", type: "market", time_in_force: "day" };
    expect((await send("POST", "/v2/orders", order)).body.status).toBe("filled");
    const { body: account } = await send("GET", "/v2/account");
    expect(account.last_equity).toBe("100000.00");
    expect(account.equity).not.toBe(account.last_equity);
    const { body: history } = await send("GET", "/v2/account/portfolio/history?period=1D&timeframe=1D");
    expect(history.base_value).toBe(100_000);
    const gains = history.profit_loss as number[];
    expect(gains.length).toBeGreaterThan(0);
    expect(history.profit_loss_pct).toEqual(gains.map((gain) => gain / history.base_value));
  });
});

describe.skipIf(check === null)("all of it", () => {
  it("has the shapes that the vendor's document says", () => {
    expect([...new Set(wrong)]).toEqual([]);
  });
});
