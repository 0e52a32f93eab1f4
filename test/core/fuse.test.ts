import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { badgeOfAlert, badgeOfFusion } from "../../src/core/signals/badge.js";
import {
  fuseLayers,
  LAYER_WEIGHTS,
  LAYERS,
  type LayerInput,
  type LayerName,
  layerStatus,
  rulesLayer,
} from "../../src/core/signals/fuse.js";

const silent: LayerInput = { value: null, reason: "no source" };
const inputs = (given: Partial<Record<LayerName, number>>) =>
  Object.fromEntries(
    LAYERS.map((name) => [name, given[name] === undefined ? silent : { value: given[name] }]),
  ) as Record<LayerName, LayerInput>;
const anyInputs = fc
  .record(
    Object.fromEntries(
      LAYERS.map((name) => [name, fc.option(fc.double({ min: -1, max: 1, noNaN: true }))]),
    ) as Record<LayerName, fc.Arbitrary<number | null>>,
  )
  .map((given) =>
    inputs(
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Partial<
        Record<LayerName, number>
      >,
    ),
  );

describe("fused layers", () => {
  it("have weights of 1 in all while every layer speaks", () => {
    expect(LAYERS.reduce((sum, name) => sum + LAYER_WEIGHTS[name], 0)).toBeCloseTo(1, 15);
    const { composite, signed, layers } = fuseLayers(
      inputs({ rules: 1, deep: 1, multi_timeframe: 1, sentiment: 1 }),
      1,
    );
    expect([composite, signed]).toEqual([100, 1]);
    expect(layers.map(({ weight }) => weight)).toEqual(LAYERS.map((name) => LAYER_WEIGHTS[name]));
  });

  it("share what a silent layer would have had, and say why it is silent", () => {
    const { layers, composite } = fuseLayers(inputs({ rules: 0.4, multi_timeframe: -0.2 }), 1);
    expect(layers).toEqual([
      { name: "rules", value: 0.4, score: 70, weight: 0.5, contribution: 35, reason: null },
      { name: "deep", value: null, score: null, weight: 0, contribution: 0, reason: "no source" },
      { name: "multi_timeframe", value: -0.2, score: 40, weight: 0.5, contribution: 20, reason: null },
      { name: "sentiment", value: null, score: null, weight: 0, contribution: 0, reason: "no source" },
    ]);
    expect(composite).toBe(55);
  });

  it("read the same against the other direction as its mirror image", () => {
    const up = fuseLayers(inputs({ rules: 0.4, sentiment: 0.1 }), 1);
    const down = fuseLayers(inputs({ rules: 0.4, sentiment: 0.1 }), -1);
    expect((up.composite ?? 0) + (down.composite ?? 0)).toBeCloseTo(100, 12);
    expect(up.signed).toBeCloseTo(down.signed ?? 0, 12);
    expect(down.layers[0].score).toBe(30);
  });

  it("are nothing where no layer speaks", () => {
    const { composite, signed, layers } = fuseLayers(inputs({}), null);
    expect([composite, signed]).toEqual([null, null]);
    expect(layers.every(({ weight, contribution }) => weight === 0 && contribution === 0)).toBe(true);
  });

  it("give contributions that add up to the composite to the last bit, and weights that add up to 1", () => {
    fc.assert(
      fc.property(anyInputs, fc.constantFrom(1, -1, null), (given, direction) => {
        const { composite, signed, layers, direction: towards } = fuseLayers(given, direction);
        const sum = layers.reduce((total, { contribution }) => total + contribution, 0);
        if (composite === null) {
          expect(LAYERS.every((name) => given[name].value === null)).toBe(true);
          return;
        }
        expect(sum).toBe(composite);
        expect(layers.reduce((total, { weight }) => total + weight, 0)).toBeCloseTo(1, 12);
        expect(composite).toBeGreaterThanOrEqual(0);
        expect(composite).toBeLessThanOrEqual(100);
        if (direction === null) expect(composite).toBeGreaterThanOrEqual(50 - 1e-9);
        else expect(towards).toBe(direction);
        expect(Math.sign(signed ?? 0) * towards).toBe(Math.sign(composite - 50));
      }),
      { numRuns: 2_000 },
    );
  });

  it("sum to the composite and stay within 100 whatever the weights, also where every layer says all there is", () => {
    const said = fc.constantFrom(-1, 1, 0.999_999_999_999_999_9, -0.5, 0.3);
    const weight = fc.double({ min: 1e-6, max: 1, noNaN: true });
    const each = <T>(arbitrary: fc.Arbitrary<T>) =>
      fc.record(
        Object.fromEntries(LAYERS.map((name) => [name, arbitrary])) as Record<LayerName, fc.Arbitrary<T>>,
      );
    fc.assert(
      fc.property(fc.oneof(each(said), each(fc.constant(1))), each(weight), (given, weights) => {
        const { composite, layers } = fuseLayers(inputs(given), 1, weights);
        expect(layers.reduce((total, { contribution }) => total + contribution, 0)).toBe(composite);
        expect(composite).toBeGreaterThanOrEqual(0);
        expect(composite).toBeLessThanOrEqual(100);
      }),
      { numRuns: 20_000 },
    );
  });

  it("rise with each layer and never fall", () => {
    fc.assert(
      fc.property(
        anyInputs,
        fc.constantFrom(...LAYERS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (...given) => {
          const [all, name, step] = given;
          const { value } = all[name];
          fc.pre(value !== null);
          const more = { ...all, [name]: { value: Math.min(1, (value ?? 0) + step) } };
          expect(fuseLayers(more, 1).composite ?? 0).toBeGreaterThanOrEqual(
            (fuseLayers(all, 1).composite ?? 0) - 1e-9,
          );
        },
      ),
    );
  });

  it("back a direction strongly from 80 and moderately from 60 on", () => {
    const status = (value: number) => layerStatus(fuseLayers(inputs({ rules: value }), 1).layers[0]);
    expect([0.6, 0.59, 0.2, 0.19, -1].map(status)).toEqual([
      "strong",
      "moderate",
      "moderate",
      "weak",
      "weak",
    ]);
    expect(layerStatus(fuseLayers(inputs({ rules: 1 }), 1).layers[1])).toBe("unavailable");
  });
});

describe("the layer of rules", () => {
  const voice = (direction: 1 | 0 | -1, quality: number, confidence: number | null = null, base = 0.4) => ({
    direction,
    quality,
    confidence,
    base,
  });

  it("is as strong as the shape is good and the pattern was better than chance", () => {
    expect(rulesLayer([voice(-1, 0.8)])).toEqual({ value: -0.8 });
    expect(rulesLayer([voice(1, 0.8), voice(-1, 0.8)])).toEqual({ value: 0 });
    expect(rulesLayer([voice(1, 0.8, 0.2)])).toEqual({ value: 0.4 });
    expect(rulesLayer([voice(-1, 0.6, 0.6)]).value).toBeCloseTo(-0.9, 12);
    expect(rulesLayer([voice(1, 0.8, 0.6)])).toEqual({ value: 1 });
    const { value } = rulesLayer([voice(1, 0.8, 0.6), voice(-1, 0.8, 0.2)]);
    expect(value).toBeCloseTo((1.5 * 0.8 - 0.5 * 0.8) / 2, 12);
  });

  it("is silent without a direction", () => {
    expect(rulesLayer([voice(0, 1)]).value).toBeNull();
    expect(rulesLayer([]).value).toBeNull();
  });
});

describe("the badge of a fused score", () => {
  const fusionOf = (values: Partial<Record<LayerName, number>>) =>
    fuseLayers(
      Object.fromEntries(
        LAYERS.map((name): [LayerName, LayerInput] => {
          const value = values[name];
          return [name, value === undefined ? { value: null, reason: "silent" } : { value }];
        }),
      ) as Record<LayerName, LayerInput>,
      1,
    );

  it("is none without a direction or a word, and moderate at most where one layer speaks or prices are old", () => {
    const both = fusionOf({ rules: 0.8, multi_timeframe: 0.8 });
    expect(badgeOfFusion(both, 1, false)).toBe("ELITE");
    expect([badgeOfAlert(0.9, -1), badgeOfAlert(0.9, 0)]).toEqual(["ELITE", "MODERATE"]);
    expect(badgeOfFusion(both, 1, true)).toBe("MODERATE");
    expect(badgeOfFusion(both, 0, false)).toBeNull();
    expect(badgeOfFusion(fusionOf({ multi_timeframe: 0.672 }), 1, false)).toBe("MODERATE");
    expect(badgeOfFusion(fusionOf({ multi_timeframe: 0.672 }), 0, false)).toBeNull();
    expect(badgeOfFusion(fusionOf({}), 1, false)).toBeNull();
  });
});
