import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tradeOutcome } from "../../src/core/signals/trade.js";
import { detectionAt } from "../fixtures/detections.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { raiseAlerts } from "../fixtures/outcomes.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const report = (payload: object) => program.call({ method: "POST", url: "/api/outcomes/log", payload });

/** Runs the loops once that settle alerts and follow accounts. */
async function settle(): Promise<void> {
  const { accountLoops, now } = program.parts;
  for (const loop of accountLoops) {
    if (loop.name.startsWith("outcomes.")) await loop.run(now(), new AbortController().signal);
  }
}

describe("GET /api/alerts/:id, settled", () => {
  it("200 shows what became of an alert on the bars of its source, and counts it", async () => {
    const { instruments, candles, database } = program.parts;
    const instrument = await instruments.resolve("AAPL");
    const { candles: bars } = await candles.loadLatest(instrument, "1d", 60);
    const at = bars.time.length - 41;
    const price = bars.close[at];
    const [id] = await raiseAlerts(database, instrument, [
      detectionAt(instrument, 0, {
        ...{ interval: "1d", pattern: "hammer", barTime: bars.time[at], startTime: bars.time[at], price },
        closedAt: bars.time[at] + 23_400_000,
        facts: { trend: "down", range: price / 50 },
      }),
    ]);
    expect((await get(`/api/alerts/${id}`)).data).toMatchObject({ outcome: null, outcomes: [] });
    await settle();
    const { data } = await get(`/api/alerts/${id}`);
    const [stop, target] = [price - (1.5 * price) / 50, price + (2 * price) / 50];
    const trade = tradeOutcome(bars, { at, direction: 1, stop, target, horizon: 20, costBps: 6 });
    expect(data.outcome).toMatchObject({
      policy: "sltp",
      ending: trade?.end,
      entry: trade?.entry,
      cost_bps: 6,
    });
    expect(data.outcome.r).toBeCloseTo(trade?.r ?? Number.NaN, 9);
    expect(data.outcome.bars_held).toBe((trade?.exitAt ?? 0) - at);
    expect(data.outcomes).toMatchObject([
      { policy: "sltp" },
      { policy: "horizon", terms: "3", bars_held: 3 },
    ]);
    expect(data.outcomes[1].exit).toBe(bars.close[at + 3]);
    const { outcomes } = (await get("/api/alerts/stats")).data;
    expect(outcomes.basis).toBe("reported");
    expect(outcomes.settled.wins + outcomes.settled.losses + outcomes.settled.voids).toBe(1);
    // The newest bars of the files are long past: nothing will ever tell of alerts on them.
    expect(outcomes.settled.unsettled).toBeGreaterThan(3);
  });

  it("200 says why one was never settled", async () => {
    const { alerts } = await get("/api/alerts?limit=50");
    const old = alerts.find(({ direction, pattern }: Record<string, string>) => {
      return direction !== "neutral" && pattern !== "hammer";
    });
    const { outcome } = (await get(`/api/alerts/${old.id}`)).data;
    expect(outcome).toMatchObject({ ending: "unsettled", outcome: null, r: null });
    expect(outcome.reason).toContain("did not come");
  });
});

describe("POST /api/outcomes/log", () => {
  const good = { symbol: "aapl", pattern: "hammer" };
  const full = {
    ...good,
    ...{ entry_price: 100, exit_price: 103, side: "long", quantity: 2.5, pnl: 7.25, timeframe: "60m" },
    ...{
      opened_at: "2024-07-01T14:00:00Z",
      closed_at: "2024-07-01T15:30:00Z",
      metadata: { note: "x", n: 1 },
    },
  };

  it("200 keeps all that is told, with what follows from it", async () => {
    const { data, message } = (await report(full)).json();
    expect(data).toEqual({ id: data.id, outcome: "profit", gain: 0.029, r: null });
    expect(message).toMatch(/recorded/);
    const [row] = await program.parts.database.query(
      `select source, user_id, symbol, interval, direction, outcome, entry, exit, pnl, quantity, duration_min, metadata,
         settled_at from outcomes where id = $1`,
      [data.id],
    );
    expect(row).toEqual({
      ...{
        source: "user",
        user_id: "owner",
        symbol: "AAPL",
        interval: "1h",
        direction: 1,
        outcome: "profit",
      },
      ...{ entry: 100, exit: 103, pnl: "7.250000", quantity: "2.500000000", duration_min: 90 },
      ...{ metadata: { note: "x", n: 1 }, settled_at: new Date("2024-07-01T15:30:00Z") },
    });
  });

  it("200 tells gain and pnl where they follow, and 400 where they contradict each other", async () => {
    const kept = async (more: object) => {
      const { data } = (await report({ ...good, ...more })).json();
      const [row] = await program.parts.database.query<{ pnl: string | null }>(
        "select pnl from outcomes where id = $1",
        [data.id],
      );
      return [data.gain, row.pnl];
    };
    const prices = { entry_price: 100, exit_price: 110, quantity: 2 };
    expect(await kept({ ...prices, pnl: 19 })).toEqual([0.095, "19.000000"]);
    expect(await kept({ ...prices, side: "long" })).toEqual([0.1, "20.000000"]);
    expect(await kept({ ...prices, side: "short" })).toEqual([-0.1, "-20.000000"]);
    expect(await kept({ entry_price: 100, quantity: 2, return_pct: 3 })).toEqual([0.03, "6.000000"]);
    expect(await kept({ ...prices, pnl: 19, return_pct: 9.5 })).toEqual([0.095, "19.000000"]);
    const vast = { entry_price: 1e12, exit_price: 999e9, quantity: 1e12, side: "short" };
    expect(await kept(vast)).toEqual([0.001, null]);
    for (const [wrong, detail] of [
      [{ pnl: -500 }, "pnl: -500 contradicts"],
      [{ pnl: -500, side: "long" }, "pnl: -500 contradicts"],
      [{ pnl: -45, side: "long" }, "contradicts prices"],
      [{ pnl: 500, side: "long" }, "contradicts prices"],
      [{ pnl: 19, return_pct: 20 }, "contradicts a pnl"],
      [{ return_pct: -40, side: "long" }, "return_pct: -40 contradicts"],
    ] as const) {
      expectProblem(await report({ ...good, ...prices, ...wrong }), "invalid_request", detail);
    }
  });

  it("200 reads the outcome from what there is, and the risk from the alert that was traded", async () => {
    const read = async (more: object) => (await report({ ...good, ...more })).json().data;
    expect(await read({ outcome: "breakeven" })).toMatchObject({ outcome: "breakeven", gain: null });
    expect(await read({ return_pct: -2.5 })).toMatchObject({ outcome: "loss", gain: -0.025 });
    expect(await read({ pnl: 0 })).toMatchObject({ outcome: "breakeven", gain: null });
    const short = { entry_price: 100, exit_price: 90, side: "short" };
    expect(await read(short)).toMatchObject({ outcome: "profit", gain: 0.1 });
    const { alerts } = await get("/api/alerts?symbol=AAPL&limit=1");
    const [{ id, price, metadata }] = alerts;
    const risk = Math.abs(price - metadata.risk_suggestions.stop_loss);
    const traded = await read({ alert_id: id, entry_price: price, exit_price: price + risk, side: "long" });
    expect(traded.r).toBeCloseTo(1, 9);
  });

  it("200 keeps one outcome of an alert however often it is sent, and 409 for another one", async () => {
    const { alerts } = await get("/api/alerts?limit=50");
    const other = alerts.find(({ symbol }: { symbol: string }) => symbol !== "AAPL");
    const sent = {
      ...good,
      symbol: other.symbol,
      alert_id: other.id,
      outcome: "profit",
      return_pct: 2,
      quantity: 0.1234567894,
    };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => report(sent)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map((answer) => answer.json().data.id)).size).toBe(1);
    const changed = await report({ ...sent, return_pct: 3 });
    expectProblem(changed, "conflict", `outcome ${answers[0].json().data.id}`);
    const rows = await program.parts.database.query(
      "select id from outcomes where source = 'user' and alert_id = $1",
      [sent.alert_id],
    );
    expect(rows).toHaveLength(1);
  });

  it("200 keeps a trade that says when it ended once, and others as often as they are told", async () => {
    const counted = async (payload: object) => {
      const ids = [];
      for (let k = 0; k < 3; k++) ids.push((await report(payload)).json().data.id);
      return new Set(ids).size;
    };
    const ended = { ...good, return_pct: 1.25, closed_at: "2024-08-01T10:00:00Z" };
    expect(await counted(ended)).toBe(1);
    expect(await counted({ ...ended, return_pct: 1.5 })).toBe(1);
    expect(await counted({ ...good, return_pct: 1.25 })).toBe(3);
  });

  it.each<[object, string]>([
    [{}, "body outcome"],
    [{ entry_price: 100, exit_price: 101 }, "body outcome"],
    [{ outcome: "win" }, "body outcome"],
    [{ outcome: "profit", pnl: -1 }, "contradicts"],
    [{ pnl: 1e13 }, "body pnl"],
    [{ pnl: 1, entry_price: 0 }, "body entry_price"],
    [{ pnl: 1, quantity: -1 }, "body quantity"],
    [{ pnl: 1, timeframe: "7m" }, "body timeframe"],
    [{ pnl: 1, closed_at: "2999-01-01" }, "body closed_at"],
    [{ pnl: 1, opened_at: "2024-07-02", closed_at: "2024-07-01" }, "body opened_at"],
    [{ pnl: 1, metadata: { deep: { er: 1 } } }, "body metadata"],
    [{ pnl: 1, broker: "x" }, "body broker"],
  ])("400 for %j names the field", async (more, detail) => {
    expectProblem(await report({ ...good, ...more }), "invalid_request", detail);
  });

  it("400 for an alert on another symbol, 404 for none, and as symbols do", async () => {
    const { alerts } = await get("/api/alerts?limit=50");
    const other = alerts.find(({ symbol }: { symbol: string }) => symbol !== "AAPL");
    expectProblem(await report({ ...good, pnl: 1, alert_id: other.id }), "invalid_request", "alert_id");
    expectProblem(await report({ ...good, pnl: 1, alert_id: 999_999 }), "alert_not_found");
    expectProblem(await report({ ...good, symbol: "$", pnl: 1 }), "symbol_invalid");
    expectProblem(await report({ ...good, symbol: "ZZZZ", pnl: 1 }), "symbol_unknown");
  });
});
