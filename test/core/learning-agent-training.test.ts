import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  deepestFall,
  evaluateAgent,
  flatPolicy,
  holdPolicy,
  randomPolicy,
} from "../../src/core/learning/agent/evaluate.js";
import { AGENT_SETTINGS, trainAgent } from "../../src/core/learning/agent/learner.js";
import { chooseMargin } from "../../src/core/learning/agent/margin.js";
import { createMemory } from "../../src/core/learning/agent/memory.js";
import { plantedMarket } from "../../src/core/learning/agent/planted.js";
import { type Agent, policyOf } from "../../src/core/learning/agent/policy.js";
import { AGENT_TERMS } from "../../src/core/learning/agent/simulator.js";
import {
  type AgentMarket,
  flatHolding,
  marketOf,
  STATE_LENGTH,
} from "../../src/core/learning/agent/state.js";
import { cutStretches, runStretch } from "../../src/core/learning/agent/stretch.js";
import { createDense } from "../../src/core/learning/dense.js";
import { marketAt } from "../fixtures/agent-markets.js";

const small = { ...AGENT_SETTINGS, hidden: [8], batch: 8, before: 100, episode: 50 };

function markets(count: number, bars = 400): AgentMarket[] {
  return Array.from({ length: count }, (_, place) => marketAt(3, place, bars, 0.003));
}

describe("training an agent", () => {
  it("gives the same agent for the same arguments, and another for another seed", () => {
    const run = (seed: number) => trainAgent({ seed, series: markets(2), steps: 200, settings: small });
    expect(run(1)).toEqual(run(1));
    expect(run(1).agent.net.weights).not.toEqual(run(2).agent.net.weights);
  });

  it("learns nothing from held-out bars, and from those just before", () => {
    const series = markets(2);
    /** Nothing is as it was in the last `bars` bars. */
    const changed = (bars: number) =>
      series.map((market): AgentMarket => {
        const cut = market.close.length - bars;
        const replaced = (column: Float64Array, perBar = 1) =>
          column.map((value, k) => (k < cut * perBar ? value : 1_000 + (k % 7)));
        return {
          ...market,
          open: replaced(market.open),
          close: replaced(market.close),
          range: replaced(market.range),
          inputs: replaced(market.inputs, market.inputs.length / market.close.length),
        };
      });
    const train = (from: readonly AgentMarket[]) =>
      trainAgent({ seed: 5, series: from, steps: 200, settings: small }).agent;
    const held = Math.floor((series[0].close.length - series[0].first) * small.heldOut);
    const own = train(series);
    expect(train(changed(held))).toEqual(own);
    expect(train(changed(held + 1)).net).not.toEqual(own.net);
  });

  it("tells how far it is and stops when it is told to", () => {
    const told: number[] = [];
    const losses: number[] = [];
    const train = (until: number) =>
      trainAgent({
        seed: 6,
        series: markets(1),
        steps: 2_500,
        settings: small,
        onProgress: ({ step, steps, loss }) => {
          told.push(step / steps);
          losses.push(loss);
          return step < until;
        },
      });
    expect(train(2_000)).toMatchObject({ steps: 2_000, stopped: true });
    expect(told).toEqual([0.4, 0.8]);
    expect(train(Number.POSITIVE_INFINITY)).toMatchObject({ steps: 2_500, stopped: false });
    expect(told.slice(2)).toEqual([0.4, 0.8, 1]);
    expect(losses.every((loss) => loss > 0 && loss < 10)).toBe(true);
  });

  it("leaves no short where shorts are not allowed", () => {
    const series = markets(2);
    const { agent } = trainAgent({
      seed: 7,
      series,
      steps: 300,
      settings: small,
      terms: { ...AGENT_TERMS, shorts: false },
    });
    const policy = policyOf({ ...agent, margin: 0 });
    for (const stretch of cutStretches(series[0], 300)) {
      expect(runStretch(stretch, policy, agent.terms).short).toBe(0);
    }
  });

  it("refuses series that are too short or do not move", () => {
    const train = (series: readonly AgentMarket[]) =>
      trainAgent({ seed: 1, series, steps: 1, settings: small });
    expect(() => train([])).toThrow("no series is long enough");
    expect(() => train(markets(1, 51))).toThrow("no series is long enough");
    const market = markets(1)[0];
    const still = new Float64Array(market.close.length).fill(5);
    expect(() => train([{ ...market, close: still, open: still }])).toThrow("prices that do not move");
  });

  it("remembers the newest states and draws each of them", () => {
    const memory = createMemory(4);
    for (let bar = 0; bar < 7; bar++) memory.add(bar % 2, bar, { ...flatHolding(), position: 1, entry: bar });
    expect(memory.size).toBe(4);
    const rng = createRng(1);
    const holding = flatHolding();
    const seen = new Set<string>();
    for (let k = 0; k < 100; k++) {
      const { series, bar } = memory.draw(rng, holding);
      seen.add([series, bar, holding.entry].join(" "));
    }
    expect([...seen].sort()).toEqual(["0 4 4", "0 6 6", "1 3 3", "1 5 5"]);
  });
});

describe("a margin", () => {
  const agent: Agent = {
    net: createDense([STATE_LENGTH, 4, 3], 1),
    unit: 0.01,
    margin: 0,
    terms: { ...AGENT_TERMS, costBps: 0 },
  };
  // Worths that no input moves: BUY is worth 0.3 more than HOLD.
  agent.net.weights.fill(0);
  agent.net.weights[agent.net.weights.length - 2] = 0.3;

  it("is chosen among those that gained surely on enough stretches", () => {
    const chosen = Array.from({ length: 8 }, (_, seed) => {
      const bars = plantedMarket({ bars: 600, seed, drift: 0.003, volatility: 0.002, persistence: 1e12 });
      const market = marketOf(bars);
      const stretches = cutStretches(market, 50);
      const { margin, tried } = chooseMargin(agent, stretches);
      // What is long gains where the market rises, and loses with one that falls.
      expect(margin).toBe(market.close[599] > market.close[50] ? 0 : null);
      expect(tried.filter(({ mean }) => mean !== 0).map((each) => each.margin)).toEqual([0, 0.1, 0.2]);
      expect(chooseMargin(agent, stretches.slice(0, 7)).margin).toBeNull();
      return margin;
    });
    expect(new Set(chosen)).toEqual(new Set([0, null]));
  });
});

describe("an evaluation", () => {
  const agent: Agent = {
    net: createDense([STATE_LENGTH, 8, 3], 4),
    unit: 0.01,
    margin: 0,
    terms: AGENT_TERMS,
  };
  const stretches = markets(12, 251).flatMap((market) => cutStretches(market, 200));

  it("is what runs of each policy come to", () => {
    const report = evaluateAgent(agent, stretches, 9);
    const runs = stretches.map((stretch) => runStretch(stretch, policyOf(agent), AGENT_TERMS));
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const all = runs.flatMap(({ returns }) => [...returns]);
    const deviation = Math.sqrt(
      mean(all.map((each) => (each - mean(all)) ** 2)) * (all.length / (all.length - 1)),
    );
    const depths = runs.map(({ returns }) => {
      const levels = [1];
      for (const each of returns) levels.push(levels[levels.length - 1] * Math.exp(each));
      return Math.max(...levels.map((level, i) => 1 - level / Math.max(...levels.slice(0, i + 1))));
    });
    const { agent: own, hold, flat } = report.policies;
    expect([report.stretches, report.bars]).toEqual([12, 2_400]);
    expect(own.logReturn.value).toBeCloseTo(mean(runs.map(({ total }) => total)), 12);
    expect(own.sharpe.value).toBeCloseTo(mean(all) / deviation, 10);
    expect(own.maxDrawdown.value).toBeCloseTo(mean(depths), 10);
    expect(own.turnover.value).toBeCloseTo(mean(runs.map(({ fills }) => fills / 200)), 12);
    expect(own.short.value).toBeCloseTo(mean(runs.map(({ short }) => short)), 12);
    const held = stretches.map(
      ({ market: { open, close }, from, to }) =>
        Math.log(close[to - 1] / open[from + 1]) + 2 * Math.log(1 - AGENT_TERMS.costBps / 10_000),
    );
    expect(hold.logReturn.value).toBeCloseTo(mean(held), 10);
    expect(report.ahead.hold.value).toBeCloseTo(mean(runs.map(({ total }, k) => total - held[k])), 10);
    expect([hold.long.value, hold.turnover.value]).toEqual([1, 0.01]);
    expect([flat.logReturn.value, flat.maxDrawdown.value, flat.sharpe.value]).toEqual([0, 0, null]);
  });

  it("has intervals as wide as the error of a mean says", () => {
    const { policies, ahead } = evaluateAgent(agent, stretches, 9);
    const totals = stretches.map((stretch) => runStretch(stretch, holdPolicy, AGENT_TERMS).total);
    const mean = totals.reduce((sum, total) => sum + total, 0) / 12;
    // Resamples of n have the variance over n, not over n - 1.
    const error = Math.sqrt(totals.reduce((sum, total) => sum + (total - mean) ** 2, 0)) / 12;
    const { value, low, high } = policies.hold.logReturn;
    expect(value).toBeCloseTo(mean, 12);
    expect(((high ?? 0) - (low ?? 0)) / (2 * 1.96 * error)).toBeGreaterThan(0.85);
    expect(((high ?? 0) - (low ?? 0)) / (2 * 1.96 * error)).toBeLessThan(1.15);
    for (const each of Object.values(ahead)) {
      expect(each.low).toBeLessThan(each.value ?? Number.NaN);
      expect(each.high).toBeGreaterThan(each.value ?? Number.NaN);
    }
  });

  it("lets random trade as often as the agent, each way alike", () => {
    const { policies } = evaluateAgent(agent, stretches, 9);
    const turnover = policies.agent.turnover.value ?? Number.NaN;
    expect(turnover).toBeGreaterThan(0);
    expect(policies.random.turnover.value).toBeGreaterThan(0.7 * turnover);
    expect(policies.random.turnover.value).toBeLessThan(1.3 * turnover);
    const random = randomPolicy(0.5, true, createRng(2));
    const counts = [0, 0, 0];
    for (let k = 0; k < 10_000; k++) counts[random(stretches[0].market, 60, flatHolding())]++;
    for (const [action, share] of [0.5, 0.25, 0.25].entries()) {
      expect(Math.abs(counts[action] / 10_000 - share)).toBeLessThan(0.02);
    }
  });

  it("counts a fall from the beginning, and none where nothing falls", () => {
    expect(deepestFall(Float64Array.of(Math.log(0.9), Math.log(1.5), Math.log(0.8)))).toBeCloseTo(0.2, 12);
    expect(deepestFall(Float64Array.of(Math.log(0.7), Math.log(1.1)))).toBeCloseTo(0.3, 12);
    expect(deepestFall(Float64Array.of(0.1, 0.2))).toBeCloseTo(0, 15);
    expect(runStretch(stretches[0], flatPolicy, AGENT_TERMS).total).toBe(0);
  });

  it("asks for a stretch", () => {
    expect(() => evaluateAgent(agent, [], 1)).toThrow("no stretch");
  });
});

describe("a planted market", () => {
  it("has the drift of its regimes, the volatility and the persistence that were asked for", () => {
    const n = 200_000;
    const { close } = plantedMarket({ bars: n, seed: 3, drift: 0.004, volatility: 0.001, persistence: 25 });
    let [turns, squares, before] = [0, 0, 0];
    for (let i = 1; i < n; i++) {
      const move = Math.log(close[i] / close[i - 1]);
      // With so little noise the sign of a move tells its regime.
      const side = Math.sign(move);
      squares += (move - side * 0.004) ** 2;
      if (before !== 0 && side !== before) turns++;
      before = side;
    }
    expect(n / turns).toBeGreaterThan(24);
    expect(n / turns).toBeLessThan(26);
    expect(Math.sqrt(squares / n)).toBeCloseTo(0.001, 5);
  });

  it("is a random walk without drift: no move tells of the next", () => {
    const n = 200_000;
    const { close } = plantedMarket({ bars: n, seed: 4, drift: 0, volatility: 0.01, persistence: 80 });
    let [sum, product] = [0, 0];
    for (let i = 2; i < n; i++) {
      const now = Math.log(close[i] / close[i - 1]) / 0.01;
      sum += now;
      product += (now * Math.log(close[i - 1] / close[i - 2])) / 0.01;
    }
    expect(Math.abs(sum / Math.sqrt(n))).toBeLessThan(4);
    expect(Math.abs(product / Math.sqrt(n))).toBeLessThan(4);
  });
});
