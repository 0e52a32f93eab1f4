import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { stateOfRequest } from "../../src/core/learning/agent/request.js";
import {
  AGENT_WARMUP,
  flatHolding,
  type Holding,
  hideBars,
  MARKET_LENGTH,
  marketOf,
  STATE_COLUMNS,
  STATE_LENGTH,
  writeState,
} from "../../src/core/learning/agent/state.js";
import { BAR_COLUMNS, type Bars } from "../../src/core/market/candles.js";
import { marketOfPrices, turningBars } from "../fixtures/agent-markets.js";

const mapped = (bars: Bars, change: (column: Float64Array, name: string) => Float64Array): Bars => ({
  time: change(bars.time, "time"),
  open: change(bars.open, "open"),
  high: change(bars.high, "high"),
  low: change(bars.low, "low"),
  close: change(bars.close, "close"),
  volume: change(bars.volume, "volume"),
});

function column(name: string): number {
  return STATE_COLUMNS.findIndex((each) => each.name === name);
}

describe("the columns of a state", () => {
  it("are the same to the last bit whatever comes after a bar", () => {
    for (let seed = 0; seed < 5; seed++) {
      const bars = turningBars(300, seed);
      const whole = marketOf(bars);
      for (const length of [1, 49, 50, 51, 120, 299]) {
        const part = marketOf(mapped(bars, (values) => values.slice(0, length)));
        expect(part.inputs).toEqual(whole.inputs.slice(0, length * MARKET_LENGTH));
        expect(part.first).toBe(Math.min(AGENT_WARMUP, length));
      }
    }
  });

  it("hang on each of the columns of a bar that they are made of", () => {
    const bars = turningBars(120, 3);
    const at = 100;
    const { inputs } = marketOf(bars);
    for (const name of BAR_COLUMNS.filter((each) => each !== "time" && each !== "open")) {
      const changed = marketOf(
        mapped(bars, (values, of) =>
          values.map((value, i) => (of === name && i === at ? 1.01 * value : value)),
        ),
      ).inputs;
      const from = at * MARKET_LENGTH;
      expect(changed.slice(0, from)).toEqual(inputs.slice(0, from));
      expect(changed.slice(from, from + MARKET_LENGTH)).not.toEqual(inputs.slice(from, from + MARKET_LENGTH));
    }
  });

  it("do not change with the currency of prices or the unit of volumes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 }),
        fc.double({ min: 1e-4, max: 1e4, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (seed, prices, volumes) => {
          const bars = turningBars(90, seed);
          const other = marketOf(
            mapped(bars, (values, of) =>
              of === "time" ? values : values.map((value) => value * (of === "volume" ? volumes : prices)),
            ),
          );
          const { inputs } = marketOf(bars);
          for (let k = 0; k < inputs.length; k++) expect(other.inputs[k]).toBeCloseTo(inputs[k], 9);
        },
      ),
      { seed: 1, numRuns: 30 },
    );
  });

  it("are what their units say", () => {
    const bars = turningBars(200, 8);
    const at = 150;
    const sentiment = new Float64Array(200).fill(Number.NaN);
    sentiment[at] = 0.4;
    const market = marketOf(bars, sentiment);
    const { close, volume } = bars;
    const mean = (values: Float64Array, n: number) =>
      values.subarray(at - n + 1, at + 1).reduce((sum, value) => sum + value, 0) / n;
    const centre = mean(close, 20);
    const squares = mean(
      close.map((price) => (price - centre) ** 2),
      20,
    );
    const range = market.range[at];
    /** J. W. Wilder's average: the mean of the first, then one part of the new and the rest of the old. */
    const wilder = (values: readonly number[], period: number) =>
      values
        .slice(period)
        .reduce(
          (average, value) => (average * (period - 1) + value) / period,
          values.slice(0, period).reduce((sum, value) => sum + value, 0) / period,
        );
    const changes = Array.from({ length: at }, (_, k) => close[k + 1] - close[k]);
    const ranges = changes.map(
      (_, k) => Math.max(bars.high[k + 1], close[k]) - Math.min(bars.low[k + 1], close[k]),
    );
    const gains = wilder(
      changes.map((change) => Math.max(0, change)),
      14,
    );
    const losses = wilder(
      changes.map((change) => Math.max(0, -change)),
      14,
    );
    const row = findIndicator("macd");
    const lines = row === null ? [] : computeIndicator(row, bars, { fast: 12, slow: 26, signal: 9 });
    const wanted = {
      rsi: (gains - losses) / (gains + losses),
      macd: lines[0][at] / range,
      volatility: Math.log(wilder(ranges, 14) / wilder(ranges, 50)),
      price: (close[at] - centre) / range,
      volume: Math.log(volume[at] / mean(volume, 20)),
      bb_position: (close[at] - centre) / (2 * Math.sqrt(squares)),
      sentiment: 0.4,
      move_10: (close[at] - close[at - 10]) / range / Math.sqrt(10),
      move_40: (close[at] - close[at - 40]) / range / Math.sqrt(40),
    };
    for (const [name, value] of Object.entries(wanted)) {
      const k = column(name);
      expect(market.inputs[at * MARKET_LENGTH + k]).toBeCloseTo(
        Math.tanh(value / STATE_COLUMNS[k].scale),
        10,
      );
      if (name === "sentiment") expect(market.inputs[(at + 1) * MARKET_LENGTH + k]).toBe(0);
    }
  });

  it("say nothing, and are finite, where prices stand still and there is no volume", () => {
    const still = marketOf(
      mapped(turningBars(80, 1), (values, of) =>
        of === "time" ? values : values.map(() => (of === "volume" ? 0 : 7)),
      ),
    );
    const state = new Float64Array(STATE_LENGTH);
    writeState(still, 79, flatHolding(), state);
    // A relative strength index without a move is 0 by its definition.
    const rsi = column("rsi");
    for (const [k, value] of state.entries()) expect(value).toBeCloseTo(k === rsi ? Math.tanh(-2) : 0, 12);
  });

  it("tell of what is held, in ranges of when it was decided", () => {
    const market = marketOfPrices([10, 10, 11, 12], [10, 10.5, 11.5, 13]);
    market.range[0] = 0.5;
    const state = new Float64Array(STATE_LENGTH);
    writeState(market, 3, { position: -1, exposure: -1, entry: 10, filledAt: 1 }, state);
    expect(state[column("position")]).toBeCloseTo(Math.tanh(-1), 14);
    expect(state[column("pnl")]).toBeCloseTo(Math.tanh(-3 / 0.5 / 5), 14);
    expect(state[column("time_in_position")]).toBeCloseTo(Math.tanh(Math.log(4) / 4), 14);
    writeState(market, 3, flatHolding(), state);
    expect(state.slice(MARKET_LENGTH)).toEqual(new Float64Array(3));
  });
});

describe("a state from figures that were told", () => {
  const bars = turningBars(160, 21);
  const sentiment = new Float64Array(160).fill(-0.2);
  const market = marketOf(bars, sentiment);
  const at = 140;
  const { close, volume } = bars;
  const mean = (values: Float64Array) =>
    values.subarray(at - 19, at + 1).reduce((sum, value) => sum + value, 0) / 20;
  const raw = (name: string) =>
    Math.atanh(market.inputs[at * MARKET_LENGTH + column(name)]) * STATE_COLUMNS[column(name)].scale;
  const holding: Holding = { position: 1, exposure: 1, entry: bars.open[130], filledAt: 130 };
  const scale = { meanPrice: mean(close), meanVolume: mean(volume), range: market.range[at] };
  const request = {
    price: close[at],
    volume: volume[at],
    rsi: 50 + 50 * raw("rsi"),
    macd: raw("macd") * market.range[at],
    bb_position: (1 + raw("bb_position")) / 2,
    sentiment: -0.2,
    position: 250,
    pnl: close[at] - holding.entry,
    time_in_position: 11,
  };
  const state = new Float64Array(STATE_LENGTH);
  writeState(market, at, holding, state);

  it("is that of the bars, but for what only they tell", () => {
    const told = stateOfRequest(request, scale);
    expect(told.position).toBe(1);
    expect(told.assumed.map((each) => each.column)).toEqual(["move_10", "move_40", "volatility"]);
    for (const [k, { name }] of STATE_COLUMNS.entries()) {
      if (["move_10", "move_40", "volatility"].includes(name)) expect(told.inputs[k]).toBe(0);
      // The range was another when the position was decided.
      else if (name === "pnl")
        expect(told.inputs[k]).toBeCloseTo(Math.tanh(request.pnl / scale.range / 5), 12);
      else expect(told.inputs[k]).toBeCloseTo(state[k], 9);
    }
  });

  it("without a scale is the state that an agent learnt with bars hidden, and says so", () => {
    const told = stateOfRequest(request);
    const hidden = state.slice();
    hideBars(hidden);
    for (const [k, value] of told.inputs.entries()) expect(value).toBeCloseTo(hidden[k], 9);
    const needing = STATE_COLUMNS.filter(({ needsBars }) => needsBars).map(({ name }) => name);
    expect(told.assumed.map((each) => each.column)).toEqual(needing);
    expect(told.assumed.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  it("tells of everything that was left out, and is neutral then", () => {
    const { inputs, position, assumed } = stateOfRequest({ price: 100, volume: 0, rsi: Number.NaN }, scale);
    expect(position).toBe(0);
    const left = assumed.map((each) => each.column);
    expect(left).toEqual(
      STATE_COLUMNS.map(({ name }) => name).filter(
        (name) => !["price", "pnl", "time_in_position"].includes(name),
      ),
    );
    for (const [k, { name }] of STATE_COLUMNS.entries()) if (name !== "price") expect(inputs[k]).toBe(0);
    const neutral = stateOfRequest({
      ...request,
      rsi: 50,
      macd: 0,
      bb_position: 0.5,
      sentiment: 0,
      position: 0,
    });
    expect(neutral.inputs).toEqual(new Float64Array(STATE_LENGTH));
  });

  it("is bounded, whatever is told", () => {
    const far = fc.double({ noNaN: false });
    fc.assert(
      fc.property(far, far, far, far, far, far, (price, volume, rsi, macd, pnl, time) => {
        const told = stateOfRequest(
          { price, volume, rsi, macd, pnl, time_in_position: time, position: -1 },
          scale,
        );
        for (const value of told.inputs) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});
