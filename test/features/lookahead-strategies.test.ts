import { afterAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Candles } from "../../src/core/market/candles.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { defineStrategy, type Need, type Stand, type Strategy } from "../../src/core/strategies/define.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { createLookahead, type LookaheadInput } from "../../src/features/explain/lookahead.js";
import { joinFindings } from "../../src/features/explain/truncation.js";
import {
  type CutSearch,
  findCuts,
  type StrategyTable,
} from "../../src/features/explain/truncation-strategy.js";
import { APPLE } from "../fixtures/detections.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { createTestWorkers } from "../fixtures/workers.js";

const workers = createTestWorkers();
afterAll(() => workers.close());

const SEEDS: Readonly<Record<string, number>> = { AAPL: 5, MSFT: 6, QQQ: 7, TCS: 8 };

function instrumentOf(text: string) {
  const symbol = text.toUpperCase();
  return {
    ...APPLE,
    id: SEEDS[symbol],
    symbol,
    calendar: "XNYS" as const,
    currency: symbol === "TCS" ? "INR" : "USD",
  };
}

/** A table of given strategies, tested where the test runs. */
function tableOf(rows: readonly Strategy[]): StrategyTable {
  const refOf = ({ id }: Strategy) => ({ kind: "strategy", name: id, values: {} }) as const;
  const found = (name: string) => rows.find(({ id }) => id === name) ?? rows[0];
  return {
    all: () => rows.map(refOf),
    named: (text) => refOf(found(text)),
    strategyOf: ({ name }) => found(name),
  };
}

function kindOver(length: number, rows?: readonly Strategy[], spoil = (candles: Candles) => candles) {
  const table = rows === undefined ? undefined : tableOf(rows);
  return createLookahead({
    workers,
    instruments: { identify: instrumentOf, resolve: async (text) => instrumentOf(text) },
    candles: {
      async loadLatest(instrument, interval, count) {
        const all = spoil(wanderingCandles(instrument.symbol, interval, length, SEEDS[instrument.symbol]));
        return {
          instrument,
          candles: sliceCandles(all, Math.max(0, length - count), length),
          adjustedAt: null,
          knownAtMs: null,
          source: "test",
          synthetic: false,
          asOfMs: 0,
          stale: false,
          ageMs: null,
          trouble: null,
          note: null,
          adjustment: null,
        };
      },
    },
    ...(table === undefined ? {} : { strategies: table, cut: async (part) => findCuts(table, part) }),
  });
}

async function run(kind: ReturnType<typeof kindOver>, body: Record<string, unknown>) {
  const order = kind.check?.(kind.input.parse({ kinds: ["strategy"], ...body }), "ann") as LookaheadInput;
  // Orders are stored as they were read, and read again.
  expect(kind.input.parse(JSON.parse(JSON.stringify(order)))).toEqual(order);
  const reports: number[] = [];
  const result = await kind.run(order, {
    job: { id: 1, userId: "ann" },
    signal: new AbortController().signal,
    nowMs: 0,
    report: (_phase, done) => void reports.push(done),
    checkpoint: { last: null, save: async () => undefined },
  });
  return { result: kind.result.parse(JSON.parse(JSON.stringify(result))), reports };
}

interface Planted<Columns> {
  readonly id: string;
  readonly needs?: readonly Need[];
  declare(candles: Candles): Columns;
  walk(stand: Stand<Columns>): void;
}

function planted<Columns>({ id, needs = [], declare, walk }: Planted<Columns>): Strategy {
  const texts = { id, title: id, description: "Is planted." };
  return defineStrategy({ ...texts, needs, parameters: {}, warmup: () => 1, declare, walk });
}

/** In and out in turns, by whether a number is above 0. */
function swing(stand: Stand<unknown>, number: number): void {
  if (number > 0 && stand.held === 0) stand.enter(1, { why: "rises" });
  else if (number < 0 && stand.held !== 0) stand.exit("falls");
}

const COLUMN_PEEK = planted({
  id: "column_peek",
  declare: ({ close }) => close,
  walk: (stand) => swing(stand, stand.columns[stand.i + 1] - stand.columns[stand.i]),
});
const CANDLE_PEEK = planted({
  id: "candle_peek",
  declare: () => null,
  walk: (stand) => swing(stand, stand.candles.open[stand.i + 1] - stand.candles.close[stand.i]),
});
/** Reads no place but its own: the mean of three bars is centred when it is declared. */
const CENTRED = planted({
  id: "centred",
  declare: ({ close }) =>
    close.map((each, i) => ((close[i - 1] ?? each) + each + (close[i + 1] ?? each)) / 3 - each),
  walk: (stand) => swing(stand, stand.columns[stand.i]),
});
/** Decides by the clock but for one of its bars, at which it looks at the next. */
const RARE = planted({
  id: "rare",
  declare: ({ close }) => close,
  walk(stand) {
    const { columns, i } = stand;
    if (i === 210 && !(columns[i + 1] > 0)) return;
    if (i % 10 === 0) stand.enter(1);
    else if (i % 10 === 5) stand.exit();
  },
});
const HONEST = planted({
  id: "honest",
  declare: ({ close }) => close.map((each, i) => each - (close[i - 1] ?? each)),
  walk: (stand) => swing(stand, stand.columns[stand.i]),
});
const NOTHING = { declare: () => null, walk: () => undefined };
const IDLE = planted({ ...NOTHING, id: "idle" });

const closesOf = (symbol: string) => wanderingCandles(symbol, "1d", 400, SEEDS[symbol]);

describe("the job over strategies that were planted", () => {
  it("catches one that reads its columns at the next bar, and tells each first decision", async () => {
    const { result, reports } = await run(kindOver(400, [COLUMN_PEEK, HONEST]), { symbol: "AAPL" });
    expect(result.passed).toBe(false);
    const [peek, honest] = result.subjects;
    // By hand: what the next close says, taken in turns; with nothing behind it none of it is said.
    const { time, close } = closesOf("AAPL");
    const expected: { at: number; does: string }[] = [];
    let held = false;
    for (let i = 1; i < close.length - 1; i++) {
      if (held ? close[i + 1] >= close[i] : close[i + 1] <= close[i]) continue;
      held = !held;
      expected.push({ at: time[i], does: held ? "enter" : "exit" });
    }
    expect(peek).toMatchObject({ kind: "strategy", name: "column_peek", bars: 399, tested: 399 });
    expect([peek.said, peek.differences]).toEqual([expected.length, expected.length]);
    expect(peek.first).toEqual(
      expected.slice(0, 10).map(({ at, does }) => ({
        bar_time: new Date(at).toISOString(),
        symbol: "AAPL",
        known_to: new Date(at).toISOString(),
        field: "decision",
        prefix: null,
        whole: JSON.stringify(does === "enter" ? { does, way: 1, why: "rises" } : { does, why: "falls" }),
      })),
    );
    expect(honest).toMatchObject({ tested: 399, differences: 0, first: [], reason: null });
    expect(honest.said).toBeGreaterThan(50);
    expect(reports.at(-1)).toBe(800);
    expect(reports.length).toBeGreaterThan(10);
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
  });

  it.each([CANDLE_PEEK, CENTRED].map((row) => [row.id, row] as const))("catches %s", async (_, row) => {
    const { result } = await run(kindOver(400, [row]), { symbol: "AAPL" });
    expect(result.passed).toBe(false);
    const [{ said, differences, first }] = result.subjects;
    expect(said).toBeGreaterThan(50);
    expect(differences).toBeGreaterThan(said / 4);
    for (const { bar_time, known_to } of first) expect(bar_time).toBe(known_to);
  });

  it("catches one that looks ahead at one of its decisions alone", async () => {
    const { result } = await run(kindOver(400, [RARE]), { symbol: "AAPL" });
    expect(result).toMatchObject({ passed: false, sample: "every bar after the warm-up" });
    const [{ said, differences, first }] = result.subjects;
    expect(said).toBeGreaterThan(50);
    expect([differences, first]).toMatchObject([
      1,
      [{ bar_time: new Date(closesOf("AAPL").time[210]).toISOString(), whole: '{"does":"enter","way":1}' }],
    ]);
  });

  it("catches it among fewer cuts than bars, and says how many there were", async () => {
    const { result } = await run(kindOver(2_100, [RARE]), { symbol: "AAPL", bars: 2_100 });
    expect(result.sample).toMatch(/^strategies at 2000 cuts, half of them where something was decided/);
    expect(result.subjects[0]).toMatchObject({ bars: 2_099, tested: 2_000, differences: 1 });
  });

  it("tests one that decides for each symbol over each, and any other over all", async () => {
    const rotation = defineStrategy({
      id: "peeking_rotation",
      title: "Peeking rotation",
      description: "Holds what rises most tomorrow.",
      needs: ["several_symbols"],
      parameters: {},
      warmup: () => 1,
      declare: ({ close }) => close.map((each, i) => (close[i + 1] ?? each) / each),
      rebalance(stands) {
        if (stands[0].i % 20 !== 0) return;
        const [best] = [...stands].sort((a, b) => b.columns[b.i] - a.columns[a.i]);
        for (const stand of stands) stand.weigh(stand === best ? 1 : 0);
      },
    });
    const order = { symbols: ["aapl", "MSFT", "AAPL", "qqq"] };
    const { result } = await run(kindOver(300, [HONEST, rotation]), order);
    expect([result.symbol, ...result.others.map(({ symbol }) => symbol)]).toEqual(["AAPL", "MSFT", "QQQ"]);
    const [each, together] = result.subjects;
    expect(each).toMatchObject({ bars: 3 * 299, tested: 3 * 299, differences: 0 });
    expect(together).toMatchObject({ bars: 299, tested: 299 });
    expect(together.differences).toBeGreaterThan(3);
    expect(new Set(together.first.map(({ symbol }) => symbol)).size).toBeGreaterThan(1);
    const all = await run(kindOver(300, [HONEST, rotation]), { symbol: "AAPL" });
    // What nobody named keeps nothing from passing, and is told.
    expect(all.result).toMatchObject({ passed: true, untested: [] });
    const reason = "needs two symbols at least, not 1";
    expect(all.result.left_out).toEqual([{ name: "peeking_rotation", reason }]);
    const names = [HONEST.id, rotation.id];
    const alone = await run(kindOver(300, [HONEST, rotation]), { symbol: "AAPL", names });
    expect(alone.result.left_out).toEqual([]);
    expect(alone.result).toMatchObject({ passed: null, untested: ["peeking_rotation"] });
    expect(alone.result.subjects[1].reason).toBe("needs two symbols at least, not 1");
  });

  it("passes nothing that was not tested, and tells why", async () => {
    const rows = [
      HONEST,
      IDLE,
      planted({ ...NOTHING, id: "chains", needs: ["option_chain"] }),
      planted({ ...NOTHING, id: "learned", needs: ["model"] }),
      planted({ ...NOTHING, id: "daily", needs: ["intraday"] }),
      planted({ ...NOTHING, id: "volumes", needs: ["volume"] }),
      planted({
        id: "broken",
        declare: () => {
          throw new Error("no columns");
        },
        walk: () => undefined,
      }),
    ];
    const still = (candles: Candles) => ({ ...candles, volume: candles.volume.map(() => 0) });
    const names = rows.map(({ id }) => id);
    const { result } = await run(kindOver(60, rows, still), { symbol: "AAPL", names });
    expect(result.passed).toBeNull();
    expect(result.untested).toEqual(rows.slice(1).map(({ id }) => id));
    expect(result.subjects.map(({ reason }) => reason)).toEqual([
      null,
      "decided nothing over all bars",
      "needs chains of options",
      "needs a learned model",
      "needs bars within the day, which AAPL lacks",
      "needs volumes with the bars, which AAPL lacks",
      "fails: no columns",
    ]);
    expect(result.reason).toMatch(/^Not everything \(6 of 7 not\) was tested: idle: decided nothing/);
    expect(result.subjects.slice(2).map(({ tested }) => tested)).toEqual([0, 0, 0, 0, 0]);
    const few = await run(kindOver(30), { symbol: "AAPL", names: ["golden_cross"] });
    expect(few.result).toMatchObject({
      passed: null,
      reason: "Nothing was tested: golden_cross: the 30 bars are within the warm-up",
    });
  });

  it("is the same in parts", () => {
    const table = tableOf([COLUMN_PEEK, RARE]);
    const search: CutSearch = {
      strategies: table.all(),
      series: [closesOf("AAPL"), closesOf("MSFT")],
      calendar: "XNYS",
      most: 300,
      part: 0,
      parts: 1,
    };
    const whole = findCuts(table, search);
    const parts = [0, 1, 2, 3, 4, 5, 6].map((part) => findCuts(table, { ...search, part, parts: 7 }));
    const joined = parts.reduce(joinFindings, []);
    const plain = (findings: typeof whole) => findings.map(({ first: _, ...finding }) => finding);
    expect(plain(joined)).toEqual(plain(whole));
    expect(joined.map(({ first }) => first[0])).toEqual(whole.map(({ first }) => first[0]));
  });

  it("ends between two parts when it is told to", async () => {
    const ending = new AbortController();
    const kind = kindOver(400, [HONEST]);
    const order = kind.input.parse({ symbol: "AAPL", kinds: ["strategy"] });
    let reports = 0;
    const running = kind.run(order, {
      job: { id: 1, userId: "ann" },
      signal: ending.signal,
      nowMs: 0,
      report: () => {
        reports++;
        if (reports === 3) ending.abort();
      },
      checkpoint: { last: null, save: async () => undefined },
    });
    await expect(running).rejects.toThrow(/abort/i);
    expect(reports).toBe(3);
  });
});

/** What a row of the table cannot be tested for; null where it can. */
function lackedBy(name: string, timeframe: "1d" | "5m"): "left out" | RegExp | null {
  const { needs } = ensure(
    STRATEGIES.find(({ id }) => id === name),
    name,
  );
  if (needs.includes("intraday") && timeframe === "1d") return "left out";
  // Synergies are rare: these bars have none.
  return name === "synergy" ? /^decided nothing/ : null;
}

describe("the job over the table of strategies", () => {
  it.each(["1d", "5m"] as const)("finds nothing in any of them, in threads: %s", async (timeframe) => {
    // A Monday whose session is that of the bars.
    const monday = Date.UTC(2024, 5, 3);
    const late = (candles: Candles) => ({ ...candles, time: candles.time.map((time) => monday + time) });
    const kind = kindOver(300, undefined, late);
    const { result } = await run(kind, { symbols: ["AAPL", "MSFT"], timeframe, bars: 260 });
    const ids = STRATEGIES.map(({ id }) => id);
    const left = ids.filter((id) => lackedBy(id, timeframe) === "left out");
    expect(result.left_out.map(({ name }) => name)).toEqual(left);
    expect(result.subjects.map(({ name }) => name)).toEqual(ids.filter((id) => !left.includes(id)));
    for (const { name, reason, tested, bars, said, differences } of result.subjects) {
      expect({ name, differences }).toEqual({ name, differences: 0 });
      const lacked = lackedBy(name, timeframe);
      if (lacked !== null)
        expect({ name, said, reason }).toEqual({ name, said: 0, reason: expect.stringMatching(lacked) });
      else {
        expect({ name, reason, tested }).toEqual({ name, reason: null, tested: bars });
        expect(said, name).toBeGreaterThan(0);
      }
    }
    expect(result.passed).toBeNull();
  });

  it("takes any spelling of a name, and values as a backtest does", async () => {
    const names = [1, "GOLDEN_CROSS", "2", "Pattern_List"];
    const { result } = await run(kindOver(300), { symbol: "AAPL", names });
    expect(result.subjects.map(({ name }) => name)).toEqual(["golden_cross", "rsi_reversal", "pattern_list"]);
    expect(result.subjects[0].parameters).toEqual({ fast: 20, slow: 50, side: "long" });
    const parameters = { fast: 3, slow: 9, side: "both" };
    const one = await run(kindOver(300), { symbol: "AAPL", names: ["golden_cross"], parameters });
    expect(one.result.passed).toBe(true);
    expect(one.result.subjects[0]).toMatchObject({ parameters, bars: 291, tested: 291 });
    expect(one.result.subjects[0].said).toBeGreaterThan(result.subjects[0].said);
  });

  it("refuses what cannot be tested", () => {
    const { check, input } = kindOver(10);
    const order = (body: object) => () =>
      check?.(input.parse({ symbol: "AAPL", kinds: ["strategy"], ...body }), "ann");
    const named = (name: string, parameters: object) => order({ names: [name], parameters });
    expect(order({ names: ["magic"] })).toThrow(/There is no strategy magic/);
    expect(named("golden_cross", { fast: 1 })).toThrow(/body parameters: fast must lie within 2\.\.200/);
    expect(named("golden_cross", { quick: 1 })).toThrow(/there is no parameter quick/);
    expect(named("golden_cross", { fast: 90, slow: 50 })).toThrow(/fast must be shorter than slow/);
    expect(named("pattern_trade", { pattern: "magic" })).toThrow(/pattern must be one of/);
    const several = { names: ["golden_cross", "macd_cross"], parameters: { fast: 5 } };
    for (const body of [several, { parameters: { fast: 5 } }]) {
      expect(order(body)).toThrow(/parameters: are of one strategy/);
    }
    const indicator = { kinds: ["indicator"], names: ["rsi"], parameters: { period: 5 } };
    expect(order(indicator)).toThrow(/parameters: are of one strategy/);
    expect(order({ kinds: ["pattern"], symbols: ["MSFT"] })).toThrow(/strategies alone/);
    expect(order({ symbols: ["TCS"] })).toThrow(/one currency, not USD and INR/);
    expect(order({ symbols: ["TCS"], names: ["golden_cross"] })).not.toThrow();
    expect(order({ symbol: undefined })).toThrow(/must name a symbol/);
  });
});
