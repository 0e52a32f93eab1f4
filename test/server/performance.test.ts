import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();

interface Counted {
  readonly pattern: string;
  readonly symbol: string;
  readonly detections: number;
}
const sum = (rows: readonly Counted[]) => rows.reduce((total, { detections }) => total + detections, 0);

describe.each(["/api/pattern-performance", "/api/stats/patterns"])("GET %s", (url) => {
  it("200 counts what is stored, by pattern and by symbol", async () => {
    const { data } = await get(`${url}?window=365`);
    const [stored] = await program.parts.database.query<{ count: number; patterns: number }>(
      "select count(*) as count, count(distinct pattern) as patterns from detections",
    );
    expect(data.overall.detections).toBe(stored.count);
    expect(data.overall.detections).toBeGreaterThan(100);
    expect(data.overall.patterns).toBe(stored.patterns);
    expect(data.by_pattern).toHaveLength(stored.patterns);
    expect(sum(data.by_pattern)).toBe(stored.count);
    expect(sum(data.by_symbol)).toBe(stored.count);
    const counts = data.by_pattern.map(({ detections }: Counted) => detections);
    expect(counts).toEqual([...counts].sort((a: number, b: number) => b - a));
    expect(data.meta).toMatchObject({ window: 365, pattern: null, symbol: null, synthetic: false });
  });

  it("200 counts one pattern in any spelling, and one symbol", async () => {
    const all = (await get(`${url}?window=365`)).data;
    const [{ pattern, detections }] = all.by_pattern;
    const title = all.by_pattern[0].name.toUpperCase();
    const one = (await get(`${url}?window=365&pattern=${encodeURIComponent(title)}`)).data;
    expect(one.overall.detections).toBe(detections);
    expect(one.by_pattern.map((row: Counted) => row.pattern)).toEqual([pattern]);
    const [{ symbol, detections: ofSymbol }] = all.by_symbol;
    const { data } = await get(`${url}?window=365&symbol=${symbol}`);
    expect(data.overall).toMatchObject({ detections: ofSymbol, symbols: 1 });
  });

  it("400 and 404 for what is no window, pattern or symbol", async () => {
    expectProblem(await program.call(`${url}?window=0`), "invalid_request", "window");
    expectProblem(await program.call(`${url}?window=366`), "invalid_request", "window");
    expectProblem(await program.call(`${url}?pattern=moonrise`), "pattern_unknown", "moonrise");
  });
});

describe("GET /api/pattern-performance/summary", () => {
  it("200 tells nothing before a trade was reported, then what was", async () => {
    const empty = (await get("/api/pattern-performance/summary")).data;
    expect(empty.outcomes).toEqual({ available: false, by_pattern: [], by_symbol: [], measured: [] });
    const report = (outcome: string, pnl?: number) =>
      program.call({
        method: "POST",
        url: "/api/log_outcome",
        payload: { symbol: "AAPL", pattern: "hammer", outcome, ...(pnl === undefined ? {} : { pnl }) },
      });
    for (const answer of [await report("profit", 30), await report("loss", -10), await report("loss")]) {
      expect(answer.statusCode).toBe(200);
    }
    const { outcomes, detections } = (await get("/api/pattern-performance/summary")).data;
    expect(outcomes).toEqual({
      available: true,
      by_pattern: [{ pattern: "hammer", trades: 3, win_rate: 1 / 3, avg_pnl: 10 }],
      by_symbol: [{ symbol: "AAPL", trades: 3, win_rate: 1 / 3, avg_pnl: 10 }],
      measured: [],
    });
    expect(detections.count).toBeGreaterThan(0);
  });
});
