import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = async (url: string, payload: object) =>
  (await program.call({ method: "POST", url, payload })).json();

describe("what a trade was placed for", () => {
  it("200 is the same in every answer, also against what its layers said", async () => {
    const reasons = {
      pattern: "hammer",
      strategy: "s2",
      model: "m1",
      layers: [{ name: "rule_based", contribution: -0.3 }],
    };
    const { trade } = await post("/api/paper-trades", { symbol: "AAPL", side: "buy", qty: 10, ...reasons });
    clock.advance(3_600_000);
    await post("/api/close-position", { trade_id: trade.id });
    const { data } = await get(`/api/paper-trades/${trade.id}`);
    expect(data).toMatchObject({ pattern: "hammer", strategy: "s2", model: "m1" });
    const stats = (await get("/api/trading-stats")).data;
    const attribution = await get("/api/analytics/attribution");
    const names = (rows: { name: string; trades: number }[]) =>
      rows.filter(({ trades }) => trades > 0).map(({ name }) => name);
    expect(names(stats.pattern_performance)).toEqual(["hammer"]);
    expect(names(stats.by_strategy)).toEqual(["s2"]);
    expect(names(attribution.patterns)).toEqual(["hammer"]);
    expect(names(attribution.strategies)).toEqual(["s2"]);
    expect(names(attribution.models)).toEqual(["m1"]);
    expect(names(attribution.layers)).toEqual(["manual"]);
    for (const table of ["layers", "patterns", "strategies", "models"]) {
      const sum = attribution[table].reduce(
        (all: number, row: { contribution: number }) => all + row.contribution,
        0,
      );
      expect(sum, table).toBeCloseTo(attribution.total_return, 6);
    }
    const { achievements } = await get("/api/achievements");
    const patterns = achievements.filter(({ id }: { id: string }) => id.includes("pattern"));
    expect(patterns.length).toBeGreaterThan(0);
    for (const { progress } of patterns) expect(progress).toBe(1);
  });
});
