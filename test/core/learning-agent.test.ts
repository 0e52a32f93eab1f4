import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  type Agent,
  CONFIDENCE_TEMPERATURE,
  chooseAction,
  decideAction,
} from "../../src/core/learning/agent/policy.js";
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
  type AgentMarket,
  flatHolding,
  marketOf,
  type Position,
  STATE_LENGTH,
} from "../../src/core/learning/agent/state.js";
import { cutStretches, runStretch } from "../../src/core/learning/agent/stretch.js";
import { createDense } from "../../src/core/learning/dense.js";
import { marketOfPrices, turningBars } from "../fixtures/agent-markets.js";

function agentOf(seed: number, margin: number | null = 0, shorts = true): Agent {
  const net = createDense([STATE_LENGTH, 8, 3], seed);
  return { net, unit: 0.01, margin, terms: { ...AGENT_TERMS, shorts } };
}

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
          const market = marketOf(turningBars(61, seed));
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
    expect(reached(-1, false)).toEqual(["BUY"]);
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
    const market = marketOf(turningBars(200, 1));
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
