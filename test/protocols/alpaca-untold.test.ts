import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const check = createVendorChecker();

let folder: string;
let program: TestProgram;
const wrong: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-untold-"));
  const bars = [
    "date,open,high,low,close,volume",
    "2024-07-11,50,51,49,50,100",
    "2024-07-12,50,51,49,50,100",
  ];
  writeFileSync(join(folder, "AAPL-1d.csv"), `${bars.join("\n")}\n`);
  const actions = [
    "symbol,ex_date,kind,ratio,amount,currency",
    "AAPL,2024-07-11,split,4:1,,",
    "AAPL,2024-07-09,dividend,,0.25,USD",
    "AAPL,2024-01-09,split,1:10,,",
  ];
  writeFileSync(join(folder, "actions.csv"), `${actions.join("\n")}\n`);
  program = await startTestProgram({
    clock: createManualClock(Date.UTC(2024, 6, 16, 12)),
    environment: { MARKET_DATA: "files", FILES_DIR: folder },
  });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true });
});

async function send(method: "GET" | "POST", url: string) {
  const answer = await program.call({ method, url });
  wrong.push(...(check?.(url.split("?")[0] ?? "", answer.statusCode, answer.json(), method) ?? []));
  return { status: answer.statusCode, body: answer.json() };
}

describe("what no source tells", () => {
  it.each([
    ["/v1beta3/crypto/us/latest/orderbooks?symbols=BTC/USD", { orderbooks: {} }],
    ["/v2/stocks/auctions?symbols=AAPL&start=2024-07-01", { auctions: {}, next_page_token: null }],
    ["/v1beta1/options/meta/conditions/trade", {}],
    ["/v1beta1/options/meta/conditions/quote", {}],
  ])("200 %s is nothing", async (url, nothing) => {
    expect(await send("GET", url)).toEqual({ status: 200, body: nothing });
  });
});

describe("options that are not held", () => {
  it.each(["exercise", "do-not-exercise"])("403 and 422 for %s", async (verb) => {
    const none = { code: 40310000, message: "no available position for the specified contract" };
    for (const contract of ["AAPL240719C00230000", "98359ef7-5124-49f3-85ea-5cf02df6defa"])
      expect(await send("POST", `/v2/positions/${contract}/${verb}`)).toEqual({ status: 403, body: none });
    const { status, body } = await send("POST", `/v2/positions/AAPL/${verb}`);
    expect({ status, ...body }).toEqual({ status: 422, code: 42210000, message: "invalid symbol" });
  });
});

describe("announcements of corporate actions", () => {
  const url = "/v2/corporate_actions/announcements?since=2024-01-01&until=2024-07-11";

  it("200 are the splits and dividends that are known, in the older shape", async () => {
    const { body } = await send("GET", `${url}&ca_types=Dividend,Split&symbol=AAPL`);
    const told = body.map(
      ({
        ca_type: type,
        ca_sub_type: kind,
        ex_date: date,
        cash,
        old_rate: o,
        new_rate: n,
      }: Record<string, string>) => [type, kind, date, cash, o, n].join(" "),
    );
    expect(told).toEqual([
      "split reverse_split 2024-01-09 0 10 1",
      "dividend cash 2024-07-09 0.25 1 1",
      "split stock_split 2024-07-11 0 1 4",
    ]);
    expect((await send("GET", `${url}&ca_types=Dividend&symbol=AAPL`)).body).toHaveLength(1);
    expect((await send("GET", `${url}&ca_types=Merger&symbol=AAPL`)).body).toEqual([]);
  });

  it("400 without a symbol", async () => {
    expect((await send("GET", `${url}&ca_types=Split`)).status).toBe(400);
  });
});

describe.runIf(check !== null)("the vendor's document", () => {
  it("has all of these answers", () => {
    expect(wrong).toEqual([]);
  });
});
