import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram({ environment: { MARKET_DATA: "synthetic", SYNTHETIC_SEED: "7" } });
});
afterAll(() => program.close());

const STRETCH = { start_date: "2019-01-01", end_date: "2023-01-01" };
/** Asks again where a thread that is only just started takes longer than an answer may. */
async function call(request: InjectOptions): Promise<LightMyRequestResponse> {
  for (let left = 10; ; left--) {
    const answer = await program.call(request);
    if (answer.statusCode !== 503 || left === 0) return answer;
  }
}

const run = (change: object = {}, path = "/api/backtest") =>
  call({ method: "POST", url: path, payload: { symbol: "aapl", ...STRETCH, ...change } });

interface Bar {
  readonly timestamp: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** Bars of the stretch with those of two years before it. */
async function barsOf(symbol: string): Promise<Bar[]> {
  const { from, to } = { from: "2017-01-01", to: "2023-01-02" };
  const answer = await program.call(`/api/historical/${symbol}?interval=1d&from=${from}&to=${to}`);
  return answer.json().data.candles ?? answer.json().data;
}

interface LoopTrade {
  entry: string;
  exit: string | null;
  quantity: number;
  bought: number;
  sold: number | null;
}

/** Golden cross from bar `first` on by a loop of its own: whole units at the next open, half of the spread against each fill. */
function goldenCross(bars: readonly Bar[], first: number, capital: number, spreadBps: number) {
  const [fast, slow] = [20, 50];
  const mean = (i: number, n: number) =>
    bars.slice(i - n + 1, i + 1).reduce((sum, { close }) => sum + close, 0) / n;
  const half = spreadBps / 20_000;
  const up = (price: number) => Math.ceil(price * (1 + half) * 1e6 - 1e-6) / 1e6;
  const down = (price: number) => Math.floor(price * (1 - half) * 1e6 + 1e-6) / 1e6;
  const trades: LoopTrade[] = [];
  const equity: number[] = [];
  let [cash, units, asked] = [capital, 0, 0];
  for (const [i, bar] of bars.entries()) {
    if (i < first) continue;
    if (asked === 1 && units === 0) {
      const price = up(bar.open);
      units = Math.floor(cash / price);
      cash -= units * price;
      trades.push({ entry: bar.timestamp, exit: null, quantity: units, bought: price, sold: null });
    } else if (asked === -1 && units > 0) {
      const price = down(bar.open);
      cash += units * price;
      units = 0;
      Object.assign(trades[trades.length - 1], { exit: bar.timestamp, sold: price });
    }
    asked = 0;
    equity.push(cash + units * bar.close);
    const now = mean(i, fast) - mean(i, slow);
    const before = mean(i - 1, fast) - mean(i - 1, slow);
    if (now > 0 && before < 0) asked = 1;
    else if (now < 0 && before > 0) asked = -1;
  }
  return { trades, equity };
}

describe("GET /api/strategies", () => {
  it("200 lists the seed's three by number and all by id, with forms and needs", async () => {
    const { data } = (await program.call("/api/strategies")).json();
    expect(data.slice(0, 3).map(({ id, strategy }: Record<string, unknown>) => [id, strategy])).toEqual([
      [1, "golden_cross"],
      [2, "rsi_reversal"],
      [3, "bollinger_reversal"],
    ]);
    expect(data[0].parameters.fast).toMatchObject({
      kind: "integer",
      default: 20,
      min: 2,
      max: 200,
      step: 1,
    });
    expect(data[0].constraints).toEqual(["fast must be shorter than slow"]);
    const rotation = data.find(({ id }: { id: unknown }) => id === "momentum_rotation");
    expect(rotation.needs).toEqual([{ need: "several_symbols", meaning: "two symbols at least" }]);
    expect(rotation.facts).toEqual([]);
    const levels = data.find(({ id }: { id: unknown }) => id === "oi_levels");
    expect(levels).toMatchObject({ type: "options", needs: [{ need: "option_chain" }] });
    expect(levels.facts.map(({ fact }: { fact: string }) => fact)).toEqual(["support", "resistance"]);
    expect(data.map(({ type }: { type: string }) => type)).not.toContain("other");
  });
});

describe("POST /api/backtest", () => {
  it("200 has the trades and the equity of a loop over the same bars, to the cent", async () => {
    const bars = await barsOf("AAPL");
    const first = bars.findIndex(({ timestamp }) => timestamp >= STRETCH.start_date);
    expect(first).toBeGreaterThan(400);
    const { trades, equity } = goldenCross(bars, first, 50_000, 10);
    expect(trades.length).toBeGreaterThan(4);
    const costs = { spread_bps: 10 };
    const { data } = (await run({ strategy_id: 1, initial_capital: 50_000, costs })).json();
    expect(data.bars).toBe(bars.length - first);
    const found = data.trades.map((trade: Record<string, unknown>) => ({
      entry: trade.entry_date,
      exit: trade.exit_date,
      quantity: trade.quantity,
      bought: trade.entry_price,
      sold: trade.exit_price,
    }));
    expect(found.map(({ entry, exit, quantity }: LoopTrade) => [entry, exit, quantity])).toEqual(
      trades.map(({ entry, exit, quantity }) => [entry, exit, quantity]),
    );
    for (const [i, { bought, sold }] of trades.entries()) {
      expect(found[i].bought).toBeCloseTo(bought, 5);
      if (sold !== null) expect(found[i].sold).toBeCloseTo(sold, 5);
    }
    expect(data.final_capital).toBeCloseTo(equity[equity.length - 1], 2);
    expect(data.equity_curve.map(({ value }: { value: number }) => value)).toHaveLength(equity.length);
    const returns = equity.map((each, i) => each / (i === 0 ? 50_000 : equity[i - 1]) - 1);
    const mean = returns.reduce((a, b) => a + b, 0) / returns.length;
    const deviation = Math.sqrt(
      returns.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (returns.length - 1),
    );
    expect(data.sharpe_ratio).toBeCloseTo((mean / deviation) * Math.sqrt(252), 6);
    let [peak, fall] = [50_000, 0];
    for (const each of equity) {
      peak = Math.max(peak, each);
      fall = Math.max(fall, 1 - each / peak);
    }
    expect(data.max_drawdown_pct).toBeCloseTo(100 * fall, 6);
    expect(data.total_trades).toBe(trades.filter(({ exit }) => exit !== null).length);
  });

  it.each([
    ["1d", "AAPL", 252, "trading days of XNYS"],
    ["1w", "AAPL", 52, "weeks"],
    ["1h", "AAPL", 252, "trading days of XNYS"],
    ["1d", "BTC-USD", 365, "days of UTC"],
    ["1w", "BTC-USD", 52, "weeks"],
    ["1d", "BTC-USD,AAPL", 365, "days of UTC on which a symbol has a bar"],
    ["1d", "RELIANCE.NS", 248, "trading days of XNSE"],
  ])(
    "200 has one growth a year by its returns and by its dates: %s %s",
    async (interval, symbols, returns, of) => {
      const payload = {
        interval,
        symbol: undefined,
        symbols: symbols.split(","),
        start_date: interval === "1h" ? "2021-06-01" : "2015-01-01",
        patterns: ["bullish_engulfing", "hammer", "bearish_engulfing"],
      };
      const { data } = (await run(payload, "/api/backtest/strategy")).json();
      const { report } = (await program.call(data.href)).json().data;
      expect(report.terms).toMatchObject({ returns_of_a_year: returns, returns_are_of: of });
      const named = new Map(report.figures.map((each: { name: string }) => [each.name, each]));
      const growth = (name: string) => Math.log1p((named.get(name) as { value: number }).value);
      const [byReturns, byDates] = [growth("annual_return"), growth("cagr")];
      expect(Math.abs(byDates)).toBeGreaterThan(0);
      // A first and a last week, and years with a day more or less.
      expect(Math.abs(byReturns / byDates - 1)).toBeLessThan(0.02);
    },
  );

  it("200 counts a trial once however often it is run, and others beside it", async () => {
    const stretch = { symbol: "MSFT", start_date: "2015-01-01", end_date: "2018-01-01" };
    const trialsOf = async (change: object) => (await run({ ...stretch, ...change })).json().data.overfitting;
    expect((await trialsOf({})).trials).toBe(1);
    expect(await trialsOf({})).toMatchObject({
      trials: 1,
      probability_of_overfitting: { value: null, reason: "fewer than two trials" },
    });
    expect((await trialsOf({ convention: "compound" })).trials).toBe(1);
    expect((await trialsOf({ strategy_id: 2 })).trials).toBe(2);
    const third = await trialsOf({ parameters: { fast: 10 } });
    expect(third.trials).toBe(3);
    expect(third.cross_validated).toEqual({ trials: 3, splits: 12_870 });
    expect(third.probability_of_overfitting.value).toBeGreaterThanOrEqual(0);
    const shorter = await trialsOf({ end_date: "2017-12-01" });
    expect([shorter.trials, shorter.trials_on_these_bars]).toEqual([4, 1]);
    expect(shorter.cross_validated.trials).toBe(3);
  });

  it("200 loses and doubles no trial of twenty at once", async () => {
    const stretch = { symbol: "NVDA", start_date: "2019-01-01", end_date: "2021-01-01" };
    const values = Array.from({ length: 10 }, (_, i) => ({ fast: 5 + i }));
    const all = [...values, ...values];
    const answers = await Promise.all(all.map((parameters) => run({ ...stretch, parameters })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(all.map(() => 200));
    const { overfitting } = (await run({ ...stretch, parameters: { fast: 5 } })).json().data;
    expect(overfitting.trials).toBe(10);
    const hashes = answers.map((answer) => answer.json().data.hash);
    expect(hashes.slice(0, 10)).toEqual(hashes.slice(10));
    expect(new Set(hashes).size).toBe(10);
  });

  it("200 trades a pattern by name, tells it of each trade, and reads min_confidence of existing clients", async () => {
    const { data } = (
      await run({ pattern_name: "Hammer", strategy_id: undefined, min_confidence: 70 })
    ).json();
    expect(data).toMatchObject({ strategy: "pattern_trade", parameters: { pattern: "hammer" } });
    expect(data.notes.join()).toContain("min_confidence 70 was not applied");
    expect(data.breakdown.by_pattern.map(({ key }: { key: string }) => key)).toEqual(["hammer"]);
    const groups = data.breakdown.by_regime as { trades: number; net: number }[];
    expect(groups.reduce((sum, { trades }) => sum + trades, 0)).toBe(data.total_trades);
    const net = data.trades.reduce((sum: number, { pnl }: { pnl: number | null }) => sum + (pnl ?? 0), 0);
    expect(groups.reduce((sum, group) => sum + group.net, 0)).toBeCloseTo(net, 2);
  });

  it("200 has no gain of a trade that is open, but what it is worth", async () => {
    const { data } = (await run({ strategy_id: "donchian_breakout", end_date: "2019-12-31" })).json();
    const open = data.trades.filter(({ exit_date }: { exit_date: string | null }) => exit_date === null);
    const closed = data.trades.filter(({ exit_date }: { exit_date: string | null }) => exit_date !== null);
    expect(open).toHaveLength(1);
    expect(open[0]).toMatchObject({ pnl: null, pnl_pct: null });
    const net = closed.reduce((sum: number, { pnl }: { pnl: number }) => sum + pnl, 0);
    expect(net + open[0].unrealized_pnl).toBeCloseTo(data.total_return, 2);
    const reasons = data.breakdown.by_exit_reason as { trades: number }[];
    expect(reasons.reduce((sum, { trades }) => sum + trades, 0)).toBe(closed.length);
  });

  it("200 tells what was not to be had, and fills no more than a share of a bar's volume", async () => {
    const costs = { volume_share: 0.000_01 };
    const { data } = (await run({ costs, initial_capital: 1e9 })).json();
    expect(data.not_had.filled_in_part).toBeGreaterThan(0);
    expect(data.notes.join()).toContain("filled in part");
    expect(data.costs.volume_share).toBe(0.000_01);
    const poor = (await run({ initial_capital: 10 })).json().data;
    expect(poor.not_had.stake_too_small).toBeGreaterThan(2);
    expect(poor.notes.join()).toContain("stake too small");
    const coins = (await run({ symbol: "BTC-USD", initial_capital: 10 })).json().data;
    expect(coins.not_had).toEqual({});
    expect(coins.total_trades).toBeGreaterThan(2);
  });

  it("200 has the whole of the day that its end is a date of, and is not stale for lying in the past", async () => {
    const { data } = (await run({ start_date: "2022-01-03", end_date: "2022-06-30" })).json();
    expect(data.start_date.slice(0, 10)).toBe("2022-01-03");
    expect(data.end_date.slice(0, 10)).toBe("2022-06-30");
    expect(data).toMatchObject({ stale: false, as_of: "2022-06-30T20:00:00.000Z" });
  });

  it("200 has the bounds of doubtful fills on either side of the headline", async () => {
    const { data } = (
      await run({
        strategy_id: "pattern_list",
        start_date: "2005-01-01",
        parameters: { stopLossPct: 0.5, takeProfitPct: 0.5, side: "both" },
      })
    ).json();
    const { pessimistic, headline, optimistic, ambiguous_trades, doubts } = data.fills;
    expect(ambiguous_trades).toBeGreaterThan(0);
    expect(headline.final_equity).toBe(data.final_capital);
    const gained = doubts.reduce((sum: number, each: { optimistic: number }) => sum + each.optimistic, 0);
    expect(gained).toBeGreaterThan(0);
    // What a doubtful fill gained at best is put into the trades after it.
    expect(optimistic.final_equity).toBeGreaterThan(headline.final_equity);
    expect(Math.abs(optimistic.final_equity - headline.final_equity - gained)).toBeGreaterThan(1);
    expect(pessimistic.final_equity).toBe(headline.final_equity);
  });

  it.each<[string, object, string, string]>([
    [
      "400 for parameters that do not go together",
      { parameters: { fast: 90 } },
      "invalid_request",
      "shorter",
    ],
    ["400 for a parameter that there is not", { parameters: { speed: 9 } }, "invalid_request", "speed"],
    [
      "400 for a pattern beside a strategy",
      { strategy_id: 1, pattern_name: "hammer" },
      "invalid_request",
      "beside",
    ],
    [
      "400 for two commissions",
      { costs: { commission_bps: 5, commission_per_share: 0.01 } },
      "invalid_request",
      "one commission is charged",
    ],
    ["400 for an end before the start", { end_date: "2001-01-01" }, "invalid_request", "start_date"],
    ["400 for more bars than are waited for", { interval: "1m" }, "invalid_request", "20000 bars"],
    ["404 for a strategy that there is not", { strategy_id: "alchemy" }, "strategy_unknown", "golden_cross"],
    ["404 for a pattern that there is not", { pattern_name: "moonrise" }, "pattern_unknown", "moonrise"],
    [
      "422 for one symbol where two are needed",
      { strategy_id: "momentum_rotation" },
      "strategy_unfit",
      "two symbols",
    ],
    [
      "422 for days where hours are needed",
      { strategy_id: "opening_range" },
      "strategy_unfit",
      "within the day",
    ],
    [
      "422 for an underlying of which no chains are stored",
      { strategy_id: "pcr_extremes" },
      "strategy_unfit",
      "AAPL has it at 0 of",
    ],
    [
      "422 for a score while no model is active",
      { strategy_id: "model_score" },
      "strategy_unfit",
      "needs a learned model, and no model is active",
    ],
  ])("%s", async (_, change, code, detail) => {
    expectProblem(await run(change), code as "invalid_request", detail);
  });
});

describe("POST /api/backtest/strategy", () => {
  it("200 trades patterns over symbols in one account and sums up each", async () => {
    const payload = { symbols: ["AAPL", "MSFT"], patterns: ["hammer", "Morning Star"], symbol: undefined };
    const { data } = (await run(payload, "/api/backtest/strategy")).json();
    expect(data.patterns_used).toEqual(["hammer", "morning_star"]);
    const sums = Object.values(data.summary_by_symbol) as { trades: number; total_pnl: number }[];
    expect(sums.reduce((sum, { trades }) => sum + trades, 0)).toBe(data.portfolio.total_trades);
    expect(data.portfolio.total_trades).toBeGreaterThan(5);
    const total = sums.reduce((sum, { total_pnl }) => sum + total_pnl, 0);
    expect(data.portfolio.total_pnl).toBeCloseTo(total, 4);
    expect(data.sample_trades.length).toBeLessThanOrEqual(50);
  });

  it("200 says which patterns it traded where none were named, and what is open apart from what is closed", async () => {
    const { data } = (await run({ symbols: ["AAPL"], symbol: undefined }, "/api/backtest/strategy")).json();
    expect(data.patterns_used).toHaveLength(6);
    expect(data.notes.join()).toContain("no patterns were named, and six common ones were traded");
    const { total_pnl, unrealized_pnl } = data.portfolio;
    expect(total_pnl + unrealized_pnl).toBeCloseTo(data.final_capital - data.initial_capital, 2);
  });

  it.each([
    [
      "the name of a strategy",
      { strategy_name: "golden_cross" },
      "POST /api/backtest with strategy_id golden_cross",
    ],
    ["its title", { strategy_name: "Golden Cross" }, "golden_cross is a strategy"],
    ["a list without patterns", { patterns: [] }, "patterns"],
  ])("400 for %s", async (_, change, detail) => {
    const payload = { symbols: ["AAPL"], symbol: undefined, ...change };
    expectProblem(await run(payload, "/api/backtest/strategy"), "invalid_request", detail);
  });

  it("400 for symbols of several currencies", async () => {
    const payload = { symbols: ["AAPL", "RELIANCE.NS"], symbol: undefined };
    expectProblem(await run(payload, "/api/backtest/strategy"), "invalid_request", "one currency");
  });
});

describe("GET /api/backtest/:id", () => {
  it("200 gives the report, the trades as CSV and pictures of it", async () => {
    const { data } = (await run({ strategy_id: 1, start_date: "2016-01-01" })).json();
    const kept = (await program.call(data.href)).json().data;
    expect(kept).toMatchObject({ id: data.id, kind: "backtest", strategy: "golden_cross", hash: data.hash });
    const figures = new Map<string, { value: number | null; definition: string }>(
      kept.report.figures.map((figure: { name: string }) => [figure.name, figure]),
    );
    expect(figures.get("final_equity")?.value).toBeCloseTo(data.final_capital, 6);
    expect(figures.get("sharpe")?.definition).toContain("standard deviation");
    const csv = await program.call(`${data.href}?format=csv`);
    expect(csv.body.trim().split("\n")).toHaveLength(1 + data.trades.length);
    const equity = (await program.call(`${data.href}?format=csv&table=equity`)).body.trim().split("\n");
    expect(equity[0]).toBe("bar,equity,benchmark");
    expect(equity).toHaveLength(1 + data.bars);
    expect(Number(equity.at(-1)?.split(",")[1])).toBeCloseTo(data.final_capital, 6);
    const told = (await program.call(`${data.href}?format=csv&table=figures`)).body;
    expect(told).toContain(`\nfinal_equity,money,${figures.get("final_equity")?.value},`);
    expect(csv.body).toMatch(/^symbol,side,entry_date,exit_date,/);
    for (const plot of ["equity", "drawdown", "months", "trades"]) {
      const svg = await call({ url: `${data.href}?format=svg&plot=${plot}` });
      expect(svg.headers["content-type"]).toContain("image/svg+xml");
      expect(svg.body).toContain("Golden Cross: AAPL");
    }
    expectProblem(await program.call(`${data.href}?format=svg&plot=folds`), "no_data", "folds");
    const { data: listed } = (await program.call("/api/backtest?limit=1")).json();
    expect(listed).toMatchObject([{ id: data.id, href: data.href }]);
  });

  it("404 for none", async () => {
    expectProblem(await program.call("/api/backtest/999999"), "backtest_not_found");
  });
});
