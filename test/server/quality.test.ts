import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Issue } from "../../src/core/quality/issue.js";
import { createChainArrivals } from "../../src/features/quality/arrivals.js";
import { ISSUES_KEPT } from "../../src/features/quality/store.js";
import { QUALITY_TOPIC } from "../../src/features/quality/topics.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const origin = { source: "test", synthetic: false };
const found = (change: Partial<Issue> = {}): Issue => ({
  code: "scale_slip",
  severity: "critical",
  subject: "AAPL",
  detail: "100 times too large",
  time: Date.UTC(2024, 0, 5),
  count: 3,
  ...change,
});
const get = async (url: string) => (await program.call(url)).json();
const check = (body: object) =>
  program.call({ method: "POST", url: "/api/data-quality/check", payload: body });

describe("GET /api/data-quality", () => {
  it("200 tells what was found, once however often, and how the sources fare", async () => {
    const { quality, database } = program.parts;
    for (let k = 0; k < 3; k++)
      await quality.record([found(), found({ code: "flat", severity: "info" })], origin);
    for (let k = 0; k < 30; k++) quality.onCall("vendor", k < 20 ? 100 : 9_000, k < 20);
    const { data, success } = await get("/api/data-quality");
    expect(success).toBe(true);
    expect(data.overall_quality).toBe("bad");
    expect(data.summary).toEqual({
      total_issues_tracked: 2,
      critical_issues_last_hour: 1,
      warning_issues_last_hour: 0,
    });
    const slip = data.recent_issues.find(({ code }: { code: string }) => code === "scale_slip");
    expect(slip).toMatchObject({
      symbol: "AAPL",
      severity: "critical",
      category: "price_scale",
      seen: 3,
      count: 3,
    });
    expect(slip.datum_time).toBe("2024-01-05T00:00:00.000Z");
    expect(data.feed_health.vendor).toMatchObject({
      total_calls: 30,
      successful_calls: 20,
      failed_calls: 10,
      avg_response_time_ms: (20 * 100 + 10 * 9_000) / 30,
      issues: [
        { code: "failing_feed", severity: "critical" },
        { code: "slow_feed", severity: "warning" },
      ],
    });
    const events = await database.query<{ count: number }>(
      "select count(*) as count from events where topic = $1",
      [QUALITY_TOPIC],
    );
    expect(events[0].count).toBe(1);
    const metrics = await program.call("/metrics");
    expect(metrics.body).toContain('tx_data_issues_total{code="scale_slip",severity="critical"} 3');
  });

  it("200 keeps what the loop finds of a failing source", async () => {
    const { quality, clock } = program.parts;
    await quality.loop.run(clock.now(), new AbortController().signal);
    const { data } = await get("/api/data-quality/issues?symbol=vendor");
    expect(data.map(({ code }: { code: string }) => code).sort()).toEqual(["failing_feed", "slow_feed"]);
    expect(data[0].datum_time).toBeNull();
  });
});

describe("GET /api/data-quality/issues", () => {
  it("200 gives every issue once over its pages, the newest first", async () => {
    const issues = Array.from({ length: 25 }, (_, i) =>
      found({ subject: `S${i}`, severity: "warning", code: "gap" }),
    );
    await program.parts.quality.record(issues, origin);
    const seen: string[] = [];
    let before = "";
    for (let page = 0; page < 10; page++) {
      const { data, next } = await get(`/api/data-quality/issues?limit=7&severity=warning${before}`);
      seen.push(...data.map(({ symbol }: { symbol: string }) => symbol));
      if (next === null) break;
      before = `&before=${next}`;
    }
    expect(seen.filter((symbol) => symbol.startsWith("S")).sort()).toEqual(
      issues.map(({ subject }) => subject).sort(),
    );
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each(["before=1", "before=a-b", "severity=fatal", "limit=0", "limit=501", "code=gap"])(
    "400 for ?%s",
    async (query) => {
      const [name] = query.split("=");
      expectProblem(await program.call(`/api/data-quality/issues?${query}`), "invalid_request", name);
    },
  );
});

describe("POST /api/data-quality/check", () => {
  it("200 finds nothing in a sound state, and tells the band", async () => {
    const { data: candles } = await get("/api/candles/BTC?interval=1d&limit=1");
    const { close } = candles[0];
    const state = {
      symbol: "btc",
      spot_price: close,
      timestamp: new Date(program.parts.clock.now()).toISOString(),
    };
    const { data } = (await check(state)).json();
    expect(data).toMatchObject({ symbol: "BTC-USD", ok: true, issues: [], exchange_open: true });
    if (data.band === null) expect(data.band_problem).toMatch(/daily closes are known, 30 are needed/);
    else expect(close).toBeGreaterThan(data.band.low);
  });

  it("200 finds what is wrong: price, age, chain", async () => {
    const { data } = (
      await check({
        symbol: "BTC",
        spot_price: -1,
        timestamp: program.parts.clock.now() - 700_000,
        option_chain: { calls: [{ oi: 5 }, { oi: -2 }], puts: { 100: { open_interest: 3 } } },
        original_strikes: 100,
        filtered_strikes: 5,
        technical_indicators: { rsi: 50 },
      })
    ).json();
    const codes = data.issues.map(({ code, severity }: Issue) => `${code} ${severity}`);
    expect(codes.sort()).toEqual(
      [
        "stale critical",
        "price_not_positive critical",
        "open_interest_negative critical",
        "strikes_unbalanced info",
        "strikes_removed critical",
      ].sort(),
    );
    expect(data.ok).toBe(false);
  });

  it("200 misses what a state must have", async () => {
    const { data } = (await check({ symbol: "BTC", option_chain: null, timestamp: "yesterday" })).json();
    expect(data.issues.map(({ code, detail }: Issue) => `${code} ${detail}`).sort()).toEqual([
      "field_missing option chain",
      "field_missing price",
      "time_invalid NaN",
    ]);
  });

  it("400 without a symbol, 404 for an unknown one", async () => {
    expectProblem(await check({ spot_price: 1 }), "invalid_request", "symbol");
    expectProblem(await check({ symbol: "BTC", spot_price: "1" }), "invalid_request", "spot_price");
    expectProblem(await check({ symbol: "NOSUCH", spot_price: 1 }), "symbol_unknown");
  });
});

describe("the store of issues", () => {
  it("makes room for the newest", async () => {
    const { database, quality, clock } = program.parts;
    await database.query(
      `insert into data_issues (code, severity, subject, detail, datum_time, count, source, synthetic, first_seen, last_seen)
       select 'gap', 'warning', 'OLD' || n, '', 'epoch', 1, 'test', false, 'epoch', 'epoch'
       from generate_series(1, $1::int) as n`,
      [ISSUES_KEPT],
    );
    await quality.loop.run(clock.now(), new AbortController().signal);
    const [{ kept }] = await database.query<{ kept: number }>("select count(*) as kept from data_issues");
    expect(kept).toBe(ISSUES_KEPT);
    expect((await get("/api/data-quality/issues?symbol=AAPL")).data.length).toBeGreaterThan(0);
  });
});

describe("a chain on its way in", () => {
  it("is held against the monitor's rules, and its age only while its exchange is open", async () => {
    const { quality } = program.parts;
    const time = Date.parse("2024-07-09T15:00:00Z");
    const state = { symbol: "MSFT", price: 400, time, bid: null, ask: null, expectsChain: true };
    const chain = { calls: 3, puts: 3, callOpenInterest: 30, putOpenInterest: null, negative: 2 };
    const shown = { ...state, chain: { ...chain, originalStrikes: 40, filteredStrikes: 3 } };
    const known = async () => {
      const { data } = await get("/api/data-quality/issues?symbol=MSFT");
      return data.map(({ code, severity }: Issue) => `${severity} ${code}`).sort();
    };
    const inspectAt = (day: string) => createChainArrivals(quality, () => Date.parse(`${day}T15:00:00Z`));
    await inspectAt("2024-07-14")(shown, { calendar: "XNYS" }, "desk", []);
    const wrong = ["critical open_interest_negative", "critical strikes_removed", "warning field_missing"];
    expect(await known()).toEqual(wrong);
    const crossed = { code: "quote_crossed", severity: "critical", subject: "MSFT", count: 1 } as const;
    const issues = [{ ...crossed, detail: "bid 2 above ask 1", time }];
    await inspectAt("2024-07-15")(shown, { calendar: "XNYS" }, "desk", issues);
    expect(await known()).toEqual([...wrong, "critical stale", "critical quote_crossed"].sort());
  });
});
