import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { type Agent, decideAction } from "../../src/core/learning/agent/policy.js";
import { AGENT_TERMS } from "../../src/core/learning/agent/simulator.js";
import { STATE_LENGTH } from "../../src/core/learning/agent/state.js";
import { decodeAgent, encodeAgent } from "../../src/core/learning/agent/weights.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import { createDense } from "../../src/core/learning/dense.js";

function agentOf(seed: number, margin: number | null): Agent {
  return { net: createDense([STATE_LENGTH, 6, 3], seed), unit: 0.0123, margin, terms: AGENT_TERMS };
}

const textOf = (agent: Agent) => JSON.stringify(encodeAgent(agent));

/** Places in a JSON value: keys and indexes from its root, of everything within. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((each: unknown, at) => [at, each] as const)
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, each]) => placesOf(each, [...path, key]))];
}

/** A copy in which the value at a place is changed, or is not there where the change gives undefined. */
function changedAt(
  value: unknown,
  path: readonly (string | number)[],
  change: (old: unknown) => unknown,
): unknown {
  if (path.length === 0) return change(value);
  const [key, ...rest] = path;
  if (Array.isArray(value)) {
    const list: unknown[] = [...(value as unknown[])];
    const made = changedAt(list[Number(key)], rest, change);
    if (made === undefined) list.splice(Number(key), 1);
    else list[Number(key)] = made;
    return list;
  }
  const record = { ...(value as Record<string, unknown>) };
  const made = changedAt(record[key], rest, change);
  if (made === undefined) delete record[key];
  else record[key] = made;
  return record;
}

describe("weights of an agent", () => {
  it("are read back from JSON to the last bit, and decide the same", () => {
    for (const margin of [0, 0.4, null]) {
      const agent = agentOf(4, margin);
      const read = decodeAgent(JSON.parse(textOf(agent)));
      expect(read).toEqual(agent);
      const rng = createRng(1);
      for (let k = 0; k < 50; k++) {
        const inputs = new Float64Array(STATE_LENGTH).map(() => rng.normal());
        expect(decideAction(read, inputs, 0)).toEqual(decideAction(agent, inputs, 0));
      }
    }
  });

  it("are refused when anything in them is changed, taken away or added", () => {
    const whole: unknown = JSON.parse(textOf(agentOf(7, 0.1)));
    const places = placesOf(whole);
    const changes: readonly ((old: unknown) => unknown)[] = [
      () => undefined,
      () => null,
      () => Number.NaN,
      () => Number.POSITIVE_INFINITY,
      () => "0.5",
      () => ({}),
      () => [],
      () => -1,
      (old) => (typeof old === "number" ? old * (1 + 2 ** -50) + 1e-12 : [old]),
      (old) => (Array.isArray(old) ? [...(old as unknown[]), 1] : { old }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...changes), (path, change) => {
        expect(() => decodeAgent(changedAt(whole, path, change))).toThrow(WeightsRefused);
      }),
      { seed: 6, numRuns: 1_500 },
    );
  });

  it("are refused for each of the reasons, which is told", () => {
    const whole = encodeAgent(agentOf(7, 0.1)) as Record<string, unknown>;
    const weights = whole.weights as readonly number[];
    const cases: readonly (readonly [Record<string, unknown> | null, RegExp])[] = [
      [null, /no object/],
      [{ ...whole, kind: "trees" }, /kind is not q_agent/],
      [{ ...whole, schema: 2 }, /schema is not 1/],
      [{ ...whole, columns: [] }, /columns are not those/],
      [{ ...whole, actions: ["BUY", "HOLD", "SELL"] }, /actions are not those/],
      [{ ...whole, sizes: [STATE_LENGTH, 1e9, 3] }, /no layers/],
      [{ ...whole, sizes: [STATE_LENGTH - 1, 6, 3] }, /inputs/],
      [{ ...whole, sizes: [STATE_LENGTH, 6, 2] }, /worths/],
      [{ ...whole, weights: weights.slice(1) }, /weights for layers/],
      [{ ...whole, weights: [...weights.slice(1), weights[0]] }, /digest/],
      [{ ...whole, unit: 0 }, /unit is not above 0/],
      [{ ...whole, margin: -0.1 }, /margin is below 0/],
      [{ ...whole, terms: { ...AGENT_TERMS, shorts: 1 } }, /shorts/],
      [{ ...whole, more: 1 }, /unknown more/],
    ];
    for (const [value, reason] of cases) expect(() => decodeAgent(value)).toThrow(reason);
  });

  it("are refused when their text is cut off or a digit of it is another", () => {
    const text = textOf(agentOf(9, null));
    const rng = createRng(5);
    let read = 0;
    for (let k = 0; k < 300; k++) {
      const at = rng.below(text.length);
      const digit = String(rng.below(10));
      if (text[at] === digit || !/\d/.test(text[at])) continue;
      const value: unknown = JSON.parse(
        `[${text.slice(0, at)}${digit === "0" ? "1" : digit}${text.slice(at + 1)}]`,
      );
      if (JSON.stringify(value) === `[${text}]`) continue;
      read++;
      expect(() => decodeAgent((value as unknown[])[0])).toThrow(WeightsRefused);
    }
    expect(read).toBeGreaterThan(100);
    expect(() => JSON.parse(text.slice(0, -1))).toThrow(SyntaxError);
  });
});
