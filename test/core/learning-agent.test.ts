import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { plantedMarket } from "../../src/core/learning/agent/planted.js";
import {
  type Agent,
  CONFIDENCE_TEMPERATURE,
  chooseAction,
  decideAction,
} from "../../src/core/learning/agent/policy.js";
import { stateOfRequest } from "../../src/core/learning/agent/request.js";
import {
  ACTION_STEPS,
  ACTIONS,
  AGENT_TERMS,
  closingCost,
  isValid,
  RUIN,
  stepAccount,
} from "../../src/core/learning/agent/simulator.js";
import {
  AGENT_WARMUP,
  type AgentMarket,
  flatHolding,
  type Holding,
  hideBars,
  MARKET_LENGTH,
  marketOf,
  type Position,
  STATE_COLUMNS,
  STATE_LENGTH,
  writeState,
} from "../../src/core/learning/agent/state.js";
import { cutStretches, runStretch } from "../../src/core/learning/agent/stretch.js";
import { createDense } from "../../src/core/learning/dense.js";
import { BAR_COLUMNS, type Bars } from "../../src/core/market/candles.js";

const walk = (bars: number, seed: number) =>
  plantedMarket({ bars, seed, drift: 0.002, volatility: 0.01, persistence: 40 });

const mapped = (bars: Bars, change: (column: Float64Array, name: string) => Float64Array): Bars => ({
  time: change(bars.time, "time"),
  open: change(bars.open, "open"),
  high: change(bars.high, "high"),
  low: change(bars.low, "low"),
  close: change(bars.close, "close"),
  volume: change(bars.volume, "volume"),
});

/** Opens and closes alone; ranges of 1. */
function marketOfPrices(open: readonly number[], close: readonly number[]): AgentMarket {
  return {
    open: Float64Array.from(open),
    close: Float64Array.from(close),
    range: new Float64Array(open.length).fill(1),
    inputs: new Float64Array(open.length * MARKET_LENGTH),
    first: 0,
  };
}

function column(name: string): number {
  return STATE_COLUMNS.findIndex((each) => each.name === name);
}

function agentOf(seed: number, margin: number | null = 0, shorts = true): Agent {
  const net = createDense([STATE_LENGTH, 8, 3], seed);
  return { net, unit: 0.01, margin, terms: { ...AGENT_TERMS, shorts } };
}

describe("the columns of a state", () => {
  it("are the same to the last bit whatever comes after a bar", () => {
    for (let seed = 0; seed < 5; seed++) {
      const bars = walk(300, seed);
      const whole = marketOf(bars);
      for (const length of [1, 49, 50, 51, 120, 299]) {
        const part = marketOf(mapped(bars, (values) => values.slice(0, length)));
        expect(part.inputs).toEqual(whole.inputs.slice(0, length * MARKET_LENGTH));
        expect(part.first).toBe(Math.min(AGENT_WARMUP, length));
      }
    }
  });

  it("hang on each of the columns of a bar that they are made of", () => {
    const bars = walk(120, 3);
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
          const bars = walk(90, seed);
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
    const bars = walk(200, 8);
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
    const wanted = {
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
      mapped(walk(80, 1), (values, of) =>
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

describe("the account of the simulator", () => {
  it("fills at the next open, pays each side and is marked at the close", () => {
    const market = marketOfPrices([100, 102, 105, 104], [101, 104, 103, 108]);
    const terms = { costBps: 10, borrowBps: 0 };
    const holding = flatHolding();
    expect(Math.exp(stepAccount(market, 0, holding, 1, terms, holding))).toBeCloseTo(0.999 * (104 / 102), 12);
    expect(holding).toEqual({ position: 1, exposure: 1, entry: 102, filledAt: 1 });
    expect(Math.exp(stepAccount(market, 1, holding, 0, terms, holding))).toBeCloseTo(103 / 104, 12);
    expect(Math.exp(stepAccount(market, 2, holding, 2, terms, holding))).toBeCloseTo((104 / 103) * 0.999, 12);
    expect(holding).toEqual(flatHolding());
  });

  /** Cash and units of a share, as a broker would book them. */
  function plainEquity(market: AgentMarket, actions: readonly number[], terms: typeof AGENT_TERMS): number[] {
    let cash = 1_000;
    let units = 0;
    const cost = terms.costBps / 10_000;
    return actions.map((action, i) => {
      const open = market.open[i + 1];
      const close = market.close[i + 1];
      const step = ACTION_STEPS[action];
      if (step !== 0 && units !== 0) {
        cash += units * open - cost * Math.abs(units) * open;
        units = 0;
      } else if (step !== 0) {
        cash -= cost * cash;
        units = (step * cash) / open;
        cash -= units * open;
      }
      if (units < 0) cash -= (-units * close * terms.borrowBps) / 10_000;
      return cash + units * close;
    });
  }

  it("grows as cash and units do, whatever is done", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        (seed, wishes, costBps, borrowBps) => {
          const market = marketOf(walk(61, seed));
          const terms = { costBps, borrowBps, shorts: true };
          const holding = flatHolding();
          const actions: number[] = [];
          const grown: number[] = [];
          let growth = 0;
          for (const [i, wish] of wishes.entries()) {
            const action = isValid(holding.position, wish, true) ? wish : 0;
            growth += stepAccount(market, i, holding, action, terms, holding);
            actions.push(action);
            grown.push(growth);
          }
          for (const [i, equity] of plainEquity(market, actions, terms).entries()) {
            expect(grown[i]).toBeCloseTo(Math.log(equity / 1_000), 10);
          }
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });

  it("closes a short that has lost everything with a hundredth, within a bar and over night", () => {
    const within = marketOfPrices([10, 10, 10], [10, 25, 10]);
    const holding = flatHolding();
    expect(stepAccount(within, 0, holding, 2, { costBps: 0, borrowBps: 0 }, holding)).toBeCloseTo(
      Math.log(RUIN),
      12,
    );
    expect(holding).toEqual(flatHolding());
    expect(stepAccount(within, 1, holding, 0, AGENT_TERMS, holding)).toBe(0);
    const night = marketOfPrices([10, 10, 30], [10, 10, 31]);
    stepAccount(night, 0, holding, 2, { costBps: 0, borrowBps: 0 }, holding);
    expect(stepAccount(night, 1, holding, 0, AGENT_TERMS, holding)).toBeCloseTo(Math.log(RUIN), 12);
    expect(holding).toEqual(flatHolding());
  });

  it("pays for closing what is worth more than all equity by its worth", () => {
    expect(closingCost({ ...flatHolding(), exposure: -1.5 }, { costBps: 20 })).toBeCloseTo(
      Math.log(0.997),
      12,
    );
    expect(closingCost(flatHolding(), { costBps: 20 })).toBe(0);
  });

  it("moves by one step and never beyond long, or below flat without shorts", () => {
    const reached = (position: Position, shorts: boolean) =>
      ACTIONS.filter((_, action) => isValid(position, action, shorts));
    expect(reached(1, true)).toEqual(["HOLD", "SELL"]);
    expect(reached(0, true)).toEqual(["HOLD", "BUY", "SELL"]);
    expect(reached(-1, true)).toEqual(["HOLD", "BUY"]);
    expect(reached(0, false)).toEqual(["HOLD", "BUY"]);
    expect(() =>
      stepAccount(
        marketOfPrices([1, 1], [1, 1]),
        0,
        { ...flatHolding(), position: 1 },
        1,
        AGENT_TERMS,
        flatHolding(),
      ),
    ).toThrow("BUY at 1");
  });

  it("cuts stretches that share their ends and none of which reaches beyond the bars", () => {
    const market = marketOf(walk(200, 1));
    const stretches = cutStretches(market, 60);
    expect(stretches.map(({ from, to }) => [from, to])).toEqual([
      [50, 111],
      [110, 171],
    ]);
    const run = runStretch(stretches[0], (_market, i) => (i === 60 ? 1 : 0), { ...AGENT_TERMS, costBps: 0 });
    expect(run.total).toBeCloseTo(Math.log(market.close[110] / market.open[61]), 12);
    expect([run.fills, run.closed, run.short]).toEqual([2, 1, 0]);
    expect(run.long).toBeCloseTo(50 / 60, 12);
  });
});

describe("a decision", () => {
  const worths = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 });
  const positions = fc.constantFrom<Position[]>(-1, 0, 1);

  it("is valid and worth the most of what is valid, whatever the worths", () => {
    fc.assert(
      fc.property(
        worths,
        positions,
        fc.boolean(),
        fc.constantFrom(0, 0.5, null),
        (q, position, shorts, margin) => {
          if (position < 0 && !shorts) return;
          const chosen = chooseAction(agentOf(1, margin), Float64Array.from(q), position, shorts);
          expect(isValid(position, chosen, shorts)).toBe(true);
          if (margin === null) {
            expect(position + ACTION_STEPS[chosen]).toBe(0);
            return;
          }
          const worth = (action: number) => q[action] + (action === 0 ? margin : 0);
          for (let action = 0; action < 3; action++) {
            if (isValid(position, action, shorts))
              expect(worth(chosen)).toBeGreaterThanOrEqual(worth(action));
          }
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });

  it("is as sure as the softmax of worths that are valid", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        positions,
        fc.boolean(),
        fc.constantFrom(0, 0.3),
        (seed, position, shorts, margin) => {
          if (position < 0 && !shorts) return;
          const agent = agentOf(seed, margin);
          const rng = createRng(seed, 9);
          const inputs = new Float64Array(STATE_LENGTH).map(() => 4 * rng.normal());
          const { action, confidence, qValues, valid } = decideAction(agent, inputs, position, shorts);
          expect(valid).toContain(action);
          const odds = valid.map((each) =>
            Math.exp((qValues[each] / agent.unit + (each === "HOLD" ? margin : 0)) / CONFIDENCE_TEMPERATURE),
          );
          const all = odds.reduce((sum, each) => sum + each, 0);
          expect(confidence).toBeCloseTo(odds[valid.indexOf(action)] / all, 10);
          expect(confidence).toBeGreaterThanOrEqual(1 / valid.length - 1e-12);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });

  it("does not overflow where worths are far apart", () => {
    const agent = agentOf(2);
    agent.net.weights.fill(0);
    agent.net.weights.set([-5_000, 5_000, 0], agent.net.weights.length - 3);
    const decision = decideAction(agent, new Float64Array(STATE_LENGTH), 0, true);
    expect(decision).toMatchObject({
      action: "BUY",
      confidence: 1,
      qValues: { HOLD: -50, BUY: 50, SELL: 0 },
    });
  });

  it("closes and opens nothing where no margin gained", () => {
    const agent = agentOf(3, null);
    const inputs = new Float64Array(STATE_LENGTH).fill(0.7);
    const actions = ([-1, 0, 1] as const).map((position) => decideAction(agent, inputs, position).action);
    expect(actions).toEqual(["BUY", "HOLD", "SELL"]);
  });
});

describe("a state from figures that were told", () => {
  const bars = walk(160, 21);
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
