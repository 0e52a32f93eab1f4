import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startAndScan } from "../fixtures/scanned.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startAndScan();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = (url: string, payload?: object) =>
  program.call({ method: "POST", url, ...(payload === undefined ? {} : { payload }) });

describe("GET /api/scan/status", () => {
  it("200 says what the scanner did", async () => {
    expect((await get("/api/scan/status")).data).toEqual({
      active: false,
      start_time: expect.stringMatching(/Z$/),
      stop_time: expect.stringMatching(/Z$/),
      symbols_scanned: 7,
      patterns_found: expect.any(Number),
      alerts_raised: expect.any(Number),
      scans: 1,
      failures: 0,
      last_scan: expect.stringMatching(/Z$/),
      last_scan_status: "finished",
      leader: true,
    });
  });
});

describe("GET /api/scan/config", () => {
  it("200 has the settings flat, and defaults and status beside them", async () => {
    const { data } = await get("/api/scan/config");
    expect(data).toMatchObject({
      symbols: expect.arrayContaining(["AAPL"]),
      interval: 300,
      auto_alerts: true,
    });
    expect(data.defaults).toEqual({ symbols: data.symbols, interval: 300, auto_alerts: true });
    expect(data.status).toMatchObject({ active: false });
  });
});

const BAD_CHANGES: [object, string][] = [
  [{ symbols: [] }, "body symbols"],
  [{ symbols: "BTC" }, "body symbols"],
  [{ symbols: [""] }, "body symbols"],
  [{ symbols: [1] }, "body symbols"],
  [{ symbols: Array(1_001).fill("BTC") }, "body symbols"],
  [{ interval: 0 }, "body interval"],
  [{ interval: -5 }, "body interval"],
  [{ interval: 86_401 }, "body interval"],
  [{ interval: "300" }, "body interval"],
  [{ interval: null }, "body interval"],
  [{ auto_alerts: "yes" }, "body auto_alerts"],
  [{ auto_alerts: 1 }, "body auto_alerts"],
  [["BTC"], "body"],
];

describe("POST /api/scan/config", () => {
  const change = (payload?: object) => post("/api/scan/config", payload);

  it("200 keeps what is given, and lets pass the whole object that a client was given", async () => {
    const { data } = (
      await change({ symbols: ["btc", "BTC-USD", "eth"], interval: 60, auto_alerts: false })
    ).json();
    expect(data).toMatchObject({ symbols: ["BTC-USD", "ETH-USD"], interval: 60, auto_alerts: false });
    const whole = (await get("/api/scan/config")).data;
    expect((await change({ ...whole, interval: 120 })).json().data).toMatchObject({
      symbols: ["BTC-USD", "ETH-USD"],
      interval: 120,
      auto_alerts: false,
    });
    expect((await change()).json().data).toMatchObject({ interval: 120 });
    expect((await get("/api/scan/config")).data).toMatchObject({
      interval: 120,
      defaults: { interval: 300 },
    });
  });

  it.each(BAD_CHANGES)("400 for %j names the field", async (payload, detail) => {
    expectProblem(await change(payload), "invalid_request", detail);
  });

  it("400 and 404 for symbols, changing nothing", async () => {
    const before = (await get("/api/scan/config")).data;
    expectProblem(await change({ symbols: ["BTC", "$"] }), "symbol_invalid");
    expectProblem(await change({ symbols: ["BTC", "ZZZZ"], interval: 10 }), "symbol_unknown");
    expect((await get("/api/scan/config")).data).toEqual(before);
  });
});

describe("POST /api/scan/start and POST /api/scan/stop", () => {
  it("200 starts once and 400 the second time, 200 stops as often as asked", async () => {
    const started = await post("/api/scan/start", { symbols: ["BTC"], interval: 30, auto_alerts: true });
    expect(started.json().data).toEqual({ symbols: ["BTC-USD"], interval: 30, auto_alerts: true });
    expect((await get("/api/scan/status")).data).toMatchObject({ active: true, stop_time: null });
    expectProblem(await post("/api/scan/start"), "scanner_already_active");

    const { data } = (await post("/api/scan/stop")).json();
    expect(data).toMatchObject({ message: expect.any(String), final_stats: { active: false } });
    expect((await post("/api/scan/stop", {})).statusCode).toBe(200);
    const headers = { "content-type": "application/json" };
    const empty = await program.call({ method: "POST", url: "/api/scan/start", headers, payload: "" });
    expect(empty.statusCode).toBe(200);
    await post("/api/scan/stop");
  });

  it.each(BAD_CHANGES)("400 for a start with %j", async (payload, detail) => {
    expectProblem(await post("/api/scan/start", payload), "invalid_request", detail);
  });

  it("400 for a stop with fields", async () => {
    expectProblem(await post("/api/scan/stop", { force: true }), "invalid_request", "body force");
  });

  it("405 for a start by GET, which changes nothing", async () => {
    const answer = await program.call("/api/scan/start");
    expectProblem(answer, "method_not_allowed");
    expect(answer.headers.allow).toBe("POST");
    expect((await get("/api/scan/status")).data.active).toBe(false);
  });
});
