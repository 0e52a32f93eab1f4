import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DECISION_INPUTS,
  DECISION_RULES,
  type DecisionRequest,
  type DecisionRule,
  decide,
} from "../../src/core/synergy/decision.js";
import {
  DECISION_TERMS,
  type DecisionTermName,
  type DecisionTerms,
  resolveDecisionTerms,
} from "../../src/core/synergy/decision-terms.js";

function termsOf(given: Partial<Record<DecisionTermName, number>> = {}): DecisionTerms {
  const { terms, problem } = resolveDecisionTerms(given);
  if (terms === null) throw new Error(problem);
  return terms;
}

const REQUEST: DecisionRequest = {
  way: 1,
  quality: 0.8,
  entry: 100,
  range: 2,
  nodeBelow: 97,
  nodeAbove: 104,
  isWarm: true,
  isOpen: true,
  equity: 50_000,
  pointValue: 5,
  rate: 1,
  cost: 0,
  openPositions: 0,
  isHeld: false,
  model: { score: null, why: "no model is active" },
};

/** For each rule a request that it alone refuses. */
const REFUSED: Readonly<Record<DecisionRule, Partial<DecisionRequest>>> = {
  warming_up: { isWarm: false },
  market_closed: { isOpen: false },
  quality_below_least: { quality: 0.29 },
  model_below_least: { model: { score: 0.49 } },
  position_limit: { openPositions: 3 },
  no_price_range: { range: Number.NaN },
  no_stop_level: { nodeBelow: Number.NaN },
  stop_too_wide: { nodeBelow: 94.19 },
  no_target_level: { way: -1, entry: 1, nodeAbove: 1.5, range: 0.5 },
  reward_below_least: { cost: 1.7 },
  unknown_point_value: { pointValue: Number.NaN },
  other_currency: { rate: Number.NaN },
  size_below_one: { equity: 1_000 },
};

describe("a decision", () => {
  it("places the stop beyond the node, the target at the ratio, and sizes by the risk budget", () => {
    // 3 to the node and 0.1 ranges of 2 beyond it; 500 at risk over 3.2 times 5 is 31.25, of which 5 at most, times 0.9.
    expect(decide(REQUEST, termsOf())).toEqual({
      acts: true,
      refusedBy: null,
      way: 1,
      entry: 100,
      stop: 96.8,
      stopBasis: "node",
      target: 106.4,
      units: 4,
      risk: 4 * (100 - 96.8) * 5,
      rewardRisk: 2,
      confidence: 0.8,
      confidenceBasis: "quality",
      model: { score: null, why: "no model is active" },
    });
    const short = decide({ ...REQUEST, way: -1, model: { score: 0.61 } }, termsOf({ mostUnits: 1_000 }));
    // 4 to the node above and 0.2 beyond; 500 over 21 is 23.8, times 0.9 is 21.4.
    expect(short).toMatchObject({ acts: true, stop: 104.2, units: 21, stopBasis: "node" });
    expect(short.target).toBeCloseTo(91.6, 12);
    expect(short).toMatchObject({ confidence: 0.61, confidenceBasis: "model", model: { score: 0.61 } });
  });

  it("moves a stop out that is too near, and takes one without a node where that is asked", () => {
    expect(decide({ ...REQUEST, nodeBelow: 99.5 }, termsOf())).toMatchObject({
      stop: 99,
      stopBasis: "nearest_stop",
    });
    const without = { ...REQUEST, nodeBelow: Number.NaN };
    expect(decide(without, termsOf({ stopWithoutNode: 1.5 }))).toMatchObject({
      stop: 97,
      stopBasis: "no_node",
    });
    // A node on the wrong side is none.
    expect(decide({ ...REQUEST, nodeBelow: 101 }, termsOf()).refusedBy).toBe("no_stop_level");
  });

  it("sizes in the money of the account, whatever the instrument trades in", () => {
    const terms = termsOf({ mostUnits: 1e6, lot: 1e-6 });
    const { units, risk } = decide(REQUEST, terms);
    const other = decide({ ...REQUEST, rate: 0.01 }, terms);
    expect(other.units).toBeCloseTo((units ?? 0) * 100, 3);
    expect(other.risk).toBeCloseTo(risk ?? 0, 3);
    const uncounted = decide({ ...REQUEST, openPositions: Number.NaN }, terms);
    expect(uncounted.units).toBe(units);
  });

  it("counts fractions in lots", () => {
    const terms = termsOf({ lot: 0.001, mostUnits: 1e6, sizeAtNoQuality: 1 });
    expect(decide({ ...REQUEST, equity: 999 }, terms).units).toBeCloseTo(0.624, 12);
    expect(decide({ ...REQUEST, equity: 1_001 }, terms).units).toBeCloseTo(0.625, 12);
    expect(decide({ ...REQUEST, equity: 1_002 }, terms).units).toBeCloseTo(0.626, 12);
    expect(decide({ ...REQUEST, equity: 1 }, terms).refusedBy).toBe("size_below_one");
    // 17 times 0.1 is more than 1.7 in doubles.
    const tenths = termsOf({ lot: 0.1, mostUnits: 1.7, sizeAtNoQuality: 1 });
    expect(decide(REQUEST, tenths).units).toBe(1.7);
  });

  it.each(DECISION_RULES.map(({ name }) => name))("is refused by %s alone, and says so", (rule) => {
    const refused = decide({ ...REQUEST, ...REFUSED[rule] }, termsOf());
    expect(refused).toMatchObject({ acts: false, refusedBy: rule, units: null, risk: null });
  });

  it("is refused by the first of its rules where several hold", () => {
    for (const [i, { name: first }] of DECISION_RULES.entries()) {
      for (const { name: second } of DECISION_RULES.slice(i + 1)) {
        // These change the same figures, so that one undoes the other.
        if (second === "no_target_level" || first === "no_target_level") continue;
        if (first === "no_stop_level" && second === "stop_too_wide") continue;
        const both = { ...REQUEST, ...REFUSED[second], ...REFUSED[first] };
        expect(decide(both, termsOf()).refusedBy, `${first} and ${second}`).toBe(first);
      }
    }
  });

  it("refuses what is not a number rather than act on it", () => {
    const numbers = ["quality", "entry", "range", "nodeBelow", "equity", "pointValue", "cost"] as const;
    for (const name of numbers) {
      expect(decide({ ...REQUEST, [name]: Number.NaN }, termsOf()).acts, name).toBe(false);
    }
    expect(decide({ ...REQUEST, isHeld: true }, termsOf()).refusedBy).toBe("position_limit");
    expect(decide({ ...REQUEST, entry: 3, nodeBelow: 0.1, range: 40 }, termsOf()).refusedBy).toBe(
      "no_stop_level",
    );
  });
});

/** Spread evenly: doubles as they are drawn are tiny or huge. */
const amount = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1_000_000 }).map((part) => min + ((max - min) * part) / 1_000_000);
const drawn = fc.record({
  way: fc.constantFrom<(1 | -1)[]>(1, -1),
  quality: amount(0, 1),
  entry: amount(1, 1_000),
  range: amount(0.01, 20),
  below: amount(-1, 4),
  above: amount(-1, 4),
  equity: amount(0, 1e6),
  pointValue: amount(0.01, 50),
  cost: amount(0, 0.2),
});
const chosen = fc.record({
  leastQuality: amount(0, 0.5),
  riskShare: amount(0.0001, 0.1),
  mostUnits: amount(0, 1e5),
  lot: fc.constantFrom(1, 0.001, 0.1, 10),
  rewardRisk: amount(1, 4),
  leastReward: amount(0, 1),
  sizeAtNoQuality: amount(0, 1),
  stopWithoutNode: fc.constantFrom(0, 1.5),
});

function requestOf({ below, above, ...given }: typeof drawn extends fc.Arbitrary<infer T> ? T : never) {
  const { entry, range } = given;
  return {
    ...REQUEST,
    ...given,
    cost: given.cost * range,
    nodeBelow: below < 0 ? Number.NaN : entry - below * range,
    nodeAbove: above < 0 ? Number.NaN : entry + above * range,
  };
}

describe("decisions that act", () => {
  it("never risk more than the budget, and have stop and target where they belong", () => {
    let acted = 0;
    fc.assert(
      fc.property(drawn, chosen, (given, some) => {
        const request = requestOf(given);
        const terms = termsOf(some);
        const { acts, stop, target, units, risk, rewardRisk } = decide(request, terms);
        if (!acts) return;
        acted++;
        if (stop === null || target === null || units === null || risk === null || rewardRisk === null) {
          throw new Error("what acts knows its levels");
        }
        const { way, entry, range, cost } = request;
        const distance = way * (entry - stop);
        expect(distance).toBeGreaterThanOrEqual(terms.nearestStop * range * (1 - 1e-9));
        expect(distance).toBeLessThanOrEqual(terms.furthestStop * range * (1 + 1e-9));
        const node = way === 1 ? request.nodeBelow : request.nodeAbove;
        if (way * (entry - node) > 0) expect(way * (node - stop)).toBeGreaterThan(-1e-9 * entry);
        expect(stop).toBeGreaterThan(0);
        expect(target).toBeGreaterThan(0);
        expect((way * (target - entry)) / distance).toBeCloseTo(terms.rewardRisk, 6);
        expect(rewardRisk).toBeCloseTo((way * (target - entry) - cost) / (distance + cost), 6);
        expect(risk).toBeLessThanOrEqual(terms.riskShare * request.equity * (1 + 1e-12));
        expect(risk).toBeCloseTo(units * distance * request.pointValue, 6);
        expect(units).toBeLessThanOrEqual(terms.mostUnits);
        const lots = units / terms.lot;
        expect(Math.abs(lots - Math.round(lots))).toBeLessThan(1e-6);
        expect(lots).toBeGreaterThan(0.5);
      }),
      { numRuns: 3_000, seed: 4 },
    );
    expect(acted).toBeGreaterThan(500);
  });

  it("are no smaller with more equity, with more quality, or where a point is worth less", () => {
    const units = (request: DecisionRequest, terms: DecisionTerms) => decide(request, terms).units ?? 0;
    let grown = 0;
    fc.assert(
      fc.property(drawn, chosen, amount(1, 3), (given, some, factor) => {
        const request = requestOf(given);
        const terms = termsOf(some);
        const now = units(request, terms);
        const richer = units({ ...request, equity: request.equity * factor }, terms);
        const better = units({ ...request, quality: Math.min(1, request.quality * factor) }, terms);
        expect(richer).toBeGreaterThanOrEqual(now);
        expect(better).toBeGreaterThanOrEqual(now);
        if (richer > now) grown++;
        const dearer = units({ ...request, pointValue: request.pointValue * factor }, terms);
        expect(dearer).toBeLessThanOrEqual(now);
      }),
      { numRuns: 2_000, seed: 5 },
    );
    expect(grown).toBeGreaterThan(200);
  });
});

describe("the terms of a decision", () => {
  it("have defaults within their ranges, and refuse what lies outside or is unknown", () => {
    for (const [name, { default: preset, range }] of Object.entries(DECISION_TERMS)) {
      expect(preset, name).toBeGreaterThanOrEqual(range[0]);
      expect(preset, name).toBeLessThanOrEqual(range[1]);
      for (const bad of [range[0] - 1, range[1] * 2 + 1, Number.NaN]) {
        expect(resolveDecisionTerms({ [name]: bad }).problem, `${name} ${bad}`).toContain(name);
      }
      expect(DECISION_TERMS[name as DecisionTermName].name).toBe(name);
    }
    expect(resolveDecisionTerms({ nearestStop: 4 }).problem).toContain("furthestStop");
    const unknown: Record<string, number> = { leverage: 3 };
    expect(resolveDecisionTerms(unknown).problem).toContain("leverage");
  });

  it("names each input and each rule once", () => {
    expect(new Set(DECISION_INPUTS).size).toBe(DECISION_INPUTS.length);
    expect(new Set(DECISION_RULES.map(({ name }) => name)).size).toBe(13);
  });
});
