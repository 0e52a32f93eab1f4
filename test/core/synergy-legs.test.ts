import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  LEG_BEARISH_FILL,
  LEG_BULLISH_FILL,
  LEG_CLOSE,
  LEG_MLMI,
  LEG_SLOPE,
  LEG_TIME,
  LegWatch,
  legSignals,
} from "../../src/core/synergy/legs.js";
import { BOTH_WAYS, LEGS, SequenceWatch, SIGNAL_SIZE } from "../../src/core/synergy/sequence.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { PLANTED_TERMS } from "../fixtures/told-synergies.js";

const TERMS = { conviction: 0.5, slope: 0.1, gap: 0.001 };

/** Places at which a leg speaks, as `place way strength`, of longer bars one after another. */
function spoken(leg: "mlmi" | "nwrqk", values: readonly number[]): string[] {
  const watch = new LegWatch(TERMS);
  const at = SIGNAL_SIZE * LEGS.indexOf(leg);
  return values.flatMap((value, place) => {
    watch.clear();
    watch.inputs[LEG_MLMI] = leg === "mlmi" ? value : 50;
    watch.inputs[LEG_SLOPE] = leg === "nwrqk" ? value : 0;
    watch.inputs[LEG_TIME] = 1_000 * place;
    watch.takeLonger();
    const [way, strength, time] = watch.signals.slice(at, at + SIGNAL_SIZE);
    if (way === 0) return [];
    expect(time).toBe(1_000 * place);
    return [`${place} ${way} ${strength}`];
  });
}

function filled(bullish: number, bearish: number, close = 100): readonly number[] {
  const watch = new LegWatch(TERMS);
  watch.inputs[LEG_BULLISH_FILL] = bullish;
  watch.inputs[LEG_BEARISH_FILL] = bearish;
  watch.inputs[LEG_CLOSE] = close;
  watch.takeShorter();
  return [...watch.signals.slice(SIGNAL_SIZE * LEGS.indexOf("fvg"))].slice(0, 2);
}

describe("a watch of legs", () => {
  it("hears MLMI once each time it comes to lie far from 50 on a side", () => {
    expect(spoken("mlmi", [Number.NaN, 50, 75, 90, 100, 74.9, 75, 25, 25, 50, 25.1, 0])).toEqual([
      "2 1 0.5",
      "6 1 0.5",
      "7 -1 0.5",
      "11 -1 1",
    ]);
  });

  it("hears the slope of NW-RQK once after each turn, and nothing before the first", () => {
    expect(
      spoken("nwrqk", [Number.NaN, 0.5, 0.05, 0.4, -0.05, 0.09, 0.1, 0.3, 0, 0.2, -0.1, -0.05, -4, 1, -3]),
    ).toEqual(["6 1 0.05", "10 -1 0.05", "13 1 0.5", "14 -1 1"]);
  });

  it("hears a filled gap by its size, and one of each side as both ways", () => {
    expect(filled(0.1, 0)).toEqual([1, 0.1]);
    expect(filled(0, 0.5)).toEqual([-1, 0.5]);
    expect(filled(3, 0.0999)).toEqual([1, 1]);
    expect(filled(0.0999, 0)).toEqual([0, 0]);
    expect(filled(Number.NaN, Number.NaN)).toEqual([0, 0]);
    expect(filled(0.1, 0.1)[0]).toBe(BOTH_WAYS);
  });

  it("keeps what began in a slot until it is cleared, the later of two of a leg", () => {
    const watch = new LegWatch(TERMS);
    const take = (value: number, time: number) => {
      watch.inputs[LEG_MLMI] = value;
      watch.inputs[LEG_TIME] = time;
      watch.takeLonger();
    };
    take(80, 1);
    take(85, 2);
    expect([...watch.signals.slice(0, 3)]).toEqual([1, 0.6, 1]);
    take(10, 3);
    expect([...watch.signals.slice(0, 3)]).toEqual([-1, 0.8, 3]);
    watch.clear();
    expect(watch.signals[0]).toBe(0);
  });

  it("goes on from copies of its state and that of the sequences as if nothing had been", () => {
    const run = (cut: number) => {
      let legs = new LegWatch(TERMS);
      let sequences = new SequenceWatch({ windowBars: 30, cooldownBars: 1 });
      const rng = createRng(3);
      const found: string[] = [];
      for (let slot = 0; slot < 3_000; slot++) {
        legs.clear();
        legs.inputs[LEG_TIME] = slot;
        legs.inputs[LEG_MLMI] = 100 * rng.next();
        legs.inputs[LEG_SLOPE] = rng.normal();
        legs.inputs[LEG_BULLISH_FILL] = rng.next() < 0.1 ? 0.2 : 0;
        legs.inputs[LEG_BEARISH_FILL] = rng.next() < 0.1 ? 0.2 : 0;
        legs.inputs[LEG_CLOSE] = 10;
        if (slot % 6 === 5) legs.takeLonger();
        legs.takeShorter();
        const type = sequences.take(slot, legs.signals);
        if (type > 0) found.push(`${type} ${[...sequences.state]}`);
        if (slot % cut !== cut - 1) continue;
        const [others, again] = [new LegWatch(TERMS), new SequenceWatch({ windowBars: 30, cooldownBars: 1 })];
        others.state.set(legs.state);
        again.state.set(sequences.state);
        legs = others;
        sequences = again;
      }
      return found;
    };
    const whole = run(Number.POSITIVE_INFINITY);
    expect(whole.length).toBeGreaterThan(30);
    expect(run(1)).toEqual(whole);
    expect(run(7)).toEqual(whole);
  });
});

it("legs of a series carry the close of the bar that made them known", () => {
  const candles = wanderingCandles("AAA", "5m", 2_000, 5);
  const all = [...legSignals(candles, PLANTED_TERMS)];
  expect(all.length).toBeGreaterThan(30);
  for (const [bar, signals] of all) {
    for (const { time } of signals) expect(time).toBe(candles.time[bar] + 300_000);
  }
});

it("legs, sequences, matrices and decisions leave the garbage collector nothing to do", () => {
  const script = fileURLToPath(new URL("../fixtures/synergy-collections.ts", import.meta.url));
  const flags = ["--max-semi-space-size=1", "--import", "tsx"];
  const counts = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }));
  const { boxed, ...ours } = counts;
  expect(boxed).toBeGreaterThan(0);
  expect(ours).toEqual({ watch: 0, structure: 0, tactical: 0, regime: 0, decision: 0 });
}, 60_000);
