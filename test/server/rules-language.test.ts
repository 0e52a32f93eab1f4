import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const COSTLY = Array.from({ length: 40 }, (_, i) => `close > sma(${10_000 - i})`).join(" and ");
const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });

describe("POST /api/rules/parse", () => {
  it("200 gives the JSON form of an expression, and the expression of that", async () => {
    const { data } = (await post("/api/rules/parse", { when: 'CLOSE > sma(50) and regime("bull")' })).json();
    expect(data).toMatchObject({
      expression: 'close > sma(50) and regime("trending_bull")',
      condition: { kind: "and", conditions: [{ kind: "compare" }, { kind: "regime" }] },
      lead_bars: 400,
    });
    const again = (await post("/api/rules/parse", { when: data.condition })).json();
    expect(again.data).toEqual(data);
  });

  it("400 says at which character, and what could stand there", async () => {
    const answer = await post("/api/rules/parse", { when: "close crosses over 3" });
    expectProblem(answer, "invalid_request");
    expect(answer.json().problems).toEqual([
      {
        path: "when",
        code: "syntax",
        message: 'at character 15: "over" is not expected here; expected above, below',
      },
    ]);
  });

  it("400 says where in the JSON form, and what could stand there", async () => {
    const when = { kind: "not", condition: { kind: "regime", regime: "sideways" } };
    const answer = await post("/api/rules/parse", { when });
    expectProblem(answer, "invalid_request");
    expect(answer.json().problems).toEqual([
      { path: "when.condition.regime", code: "form", message: expect.stringContaining("trending_bear") },
    ]);
  });

  it("400 for a past of what has none", async () => {
    for (const when of ["sentiment crosses above 0", "close > 1 and score > 0.5 for 3 bars"]) {
      const answer = await post("/api/rules/parse", { when });
      if (when.startsWith("close")) {
        expect(answer.statusCode).toBe(400);
        expect(answer.json().detail).toContain("score > 0.5 for 3 bars");
      } else expectProblem(answer, "invalid_request");
    }
  });
});

describe("GET /api/rules/vocabulary", () => {
  it("200 lists what every condition, operand, indicator and pattern is called", async () => {
    const { data } = (await program.call("/api/rules/vocabulary")).json();
    expect(data.kinds.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(["cross", "pattern", "for", "indicator", "fact"]),
    );
    expect(data.indicators.length).toBeGreaterThan(70);
    expect(data.patterns.length).toBeGreaterThan(100);
    expect(data.limits).toMatchObject({ characters: 4_000, steps: 20_000_000 });
    // Every form that is shown can be read.
    for (const { kind, of, form } of data.kinds) {
      const shown =
        kind === "and" || kind === "or" || kind === "not" ? [] : form.split(/, (?=pattern|macd|bbands|high)/);
      for (const text of shown) {
        const when = of === "condition" ? text : `${text} > 0`;
        expect((await post("/api/rules/parse", { when })).statusCode, when).toBe(200);
      }
    }
  });
});

describe("POST /api/rules/test", () => {
  it("200 tells how often a rule would have fired, when, and what followed", async () => {
    const body = {
      when: "close crosses above sma(20)",
      symbols: ["aapl", "MSFT"],
      interval: "1d",
      bars: 200,
    };
    const { data } = (await post("/api/rules/test", body)).json();
    expect(data.count).toBeGreaterThan(3);
    expect(data.symbols.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(data.count).toBe(data.symbols[0].count + data.symbols[1].count);
    const [first] = data.symbols;
    expect(first).toMatchObject({
      error: null,
      unknown: 0,
      unknown_for: [],
      suppressed: {},
      synthetic: false,
    });
    const candles = (await program.call("/api/candles/AAPL?interval=1d&limit=5000")).json().data;
    for (const { bar, price, next } of first.firings) {
      const at = candles.findIndex(({ timestamp }: { timestamp: string }) => timestamp === bar);
      expect(candles[at].close).toBe(price);
      expect(candles[at - 1].close).toBeLessThan(price);
      const after = candles[at + 1];
      if (after === undefined) expect(next[0].percent).toBeNull();
      else expect(next[0].percent).toBeCloseTo(100 * (after.close / price - 1), 9);
    }
    const level = (await post("/api/rules/test", { ...body, when: "close > sma(20)" })).json().data;
    expect(level.count).toBe(data.count);
    expect(level.symbols[0].holds).toBeGreaterThan(level.symbols[0].count);
    const once = (await post("/api/rules/test", { ...body, frequency: "once" })).json().data;
    expect(once.symbols.map(({ count }: { count: number }) => count)).toEqual(
      data.symbols.map(({ count }: { count: number }) => Math.min(1, count)),
    );
  });

  it("200 counts a symbol once, in however many spellings it is named", async () => {
    const body = { when: "close > open", bars: 50 };
    const once = (await post("/api/rules/test", { ...body, symbols: ["AAPL", "BTC-USD"] })).json().data;
    const symbols = ["AAPL", "NASDAQ:AAPL", "aapl", "BTC/USD", "bitcoin", "NASDAQ:aapl"];
    const { data } = (await post("/api/rules/test", { ...body, symbols })).json();
    expect(data.symbols.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["AAPL", "BTC-USD"]);
    expect(data.count).toBe(once.count);
  });

  it("200 names what was unknown, and symbols that could not be tried", async () => {
    const body = { when: "sentiment > 0.5 and close > 0", symbols: ["AAPL", "NOSUCHSYMBOL"], bars: 50 };
    const { data } = (await post("/api/rules/test", body)).json();
    expect(data.symbols[0]).toMatchObject({
      count: 0,
      unknown: 50,
      unknown_for: [{ operand: "sentiment", bars: 50 }],
    });
    expect(data.symbols[1]).toMatchObject({ bars: 0, error: expect.any(String) });
  });

  it("200 tells when firings would have been told of", async () => {
    const quiet_hours = { zone: "america/new_york", from: "16:00", until: "09:30", policy: "hold" };
    const body = { when: "close > open", symbols: ["AAPL"], interval: "1d", bars: 60, quiet_hours };
    const { data } = (await post("/api/rules/test", body)).json();
    for (const { closed_at, told_at } of data.symbols[0].firings) {
      const hours = (Date.parse(told_at) - Date.parse(closed_at)) / 3_600_000;
      expect(hours).toBeGreaterThan(16);
      expect(hours).toBeLessThan(19);
    }
    const dropped = { ...body, quiet_hours: { ...quiet_hours, policy: "drop" } };
    const { symbols } = (await post("/api/rules/test", dropped)).json().data;
    expect(symbols[0]).toMatchObject({ count: 0, suppressed: { quiet_hours: data.count } });
  });

  it.each([
    ["a rule that cannot be read", { when: "close >" }, "invalid_request"],
    ["one to arm it again that cannot be", { when: "close > 1", rearm: "close <" }, "invalid_request"],
    ["no time zone", { when: "close > 1", digest: { zone: "Mars/Olympus", at: "09:00" } }, "invalid_request"],
    [
      "an offset for a zone",
      { when: "close > 1", digest: { zone: "+01:23", at: "09:00" } },
      "invalid_request",
    ],
    ["no time of the day", { when: "close > 1", digest: { zone: "UTC", at: "24:00" } }, "invalid_request"],
    ["more steps than there are", { when: COSTLY, bars: 5_000 }, "invalid_request"],
    ["no symbol that is known", { when: "close > 1", symbols: ["NOSUCHSYMBOL"] }, "symbol_unknown"],
  ] as const)("%s is refused", async (_, change, code) => {
    const answer = await post("/api/rules/test", { symbols: ["AAPL"], ...change });
    expectProblem(answer, code);
  });
});
