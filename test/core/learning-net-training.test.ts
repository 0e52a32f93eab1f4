import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { attributeWindow } from "../../src/core/learning/sequence-net/attribution.js";
import { WINDOW_BARS, WINDOW_VALUES, windowAt } from "../../src/core/learning/sequence-net/columns.js";
import { type EpochReport, fitNet, USUAL_FIT } from "../../src/core/learning/sequence-net/fit.js";
import { initialValues, type NetSize } from "../../src/core/learning/sequence-net/layout.js";
import {
  calibrationError,
  confusionOf,
  fitTemperature,
  meanLoss,
} from "../../src/core/learning/sequence-net/measures.js";
import { createReader, logitsOf, usualSize } from "../../src/core/learning/sequence-net/net.js";
import { createBarReader, deepLayer } from "../../src/core/learning/sequence-net/reading.js";
import { fineTune, testWindows, trainSequenceNet } from "../../src/core/learning/sequence-net/train.js";
import { decodeNet, encodeNet } from "../../src/core/learning/sequence-net/weights.js";
import { SHAPE_DIRECTIONS, SHAPES } from "../../src/core/learning/shapes.js";
import { drawFoundWindows } from "../../src/core/learning/shapes-found.js";
import {
  drawShapeBars,
  drawShapeWindows,
  type LabelledWindows,
} from "../../src/core/learning/shapes-windows.js";
import { sized } from "../fixtures/sizes.js";

const TINY: NetSize = { ...usualSize(SHAPES.length), filters: [4, 6], cells: 8 };
/** Trained once: enough to tell shapes apart, not what is shipped. */
/** From fewer windows it learns less, and is still told from one that learned nothing. */
const WINDOWS = sized({ usual: 7_000, full: 16_000 });
const SEEN = sized({ usual: 1_500, full: 3_000 });
const EXPLAINED = sized({ usual: 3, full: 6 });
const MOST_ERROR = sized({ usual: 0.05, full: 0.03 });
const LEAST_F1 = sized({ usual: 0.75, full: 0.9 });
const trained = trainSequenceNet({ seed: 2, windows: WINDOWS, epochs: 5, foundShare: 0.2 });
describe("a net trained on drawn windows", () => {
  it(`names the shapes of windows it has not seen with a macro-F1 of ${LEAST_F1} at least`, () => {
    const windows = testWindows(99, SEEN);
    const { macroF1, f1 } = confusionOf(logitsOf(trained.net, windows.values), windows.labels, SHAPES.length);
    expect(macroF1).toBeGreaterThanOrEqual(LEAST_F1);
    expect(Math.min(...f1)).toBeGreaterThan(LEAST_F1 - 0.2);
    expect(trained.report.planted.macroF1).toBeGreaterThanOrEqual(LEAST_F1);
  });

  it(`says probabilities that are shares of what then holds, to ${100 * MOST_ERROR} %`, () => {
    const windows = drawFoundWindows(98, SEEN);
    const logits = logitsOf(trained.net, windows.values);
    const { temperature } = trained.net;
    expect(calibrationError(logits, windows.labels, SHAPES.length, temperature)).toBeLessThan(MOST_ERROR);
    // A planted error: a net three times as sure is caught.
    expect(
      calibrationError(logits, windows.labels, SHAPES.length, trained.net.temperature / 3),
    ).toBeGreaterThan(MOST_ERROR);
  });

  it("reads mirror images as mirrored shapes, and points the way the shape does", () => {
    const read = createBarReader(trained.net);
    let right = 0;
    for (let n = 0; n < 150; n++) {
      const label = 1 + (n % (SHAPES.length - 1));
      const bars = drawShapeBars(label, createRng(31, n), 0.7);
      const reading = read(bars, WINDOW_BARS - 1);
      expect(reading).not.toBeNull();
      if (reading === null) continue;
      const { probabilities, probability, shape, direction, signed, title } = reading;
      expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
      expect(probability).toBe(Math.max(...probabilities));
      expect(direction).toBe(SHAPE_DIRECTIONS[SHAPES.indexOf(shape)]);
      expect(Math.abs(signed)).toBeLessThanOrEqual(1);
      expect(title === null).toBe(shape === "none");
      if (Math.sign(signed) === SHAPE_DIRECTIONS[label]) right++;
      const said = deepLayer(reading);
      expect(said.value).toBe(shape === "none" ? null : signed);
    }
    expect(right).toBeGreaterThan(140);
    const few = drawShapeBars(1, createRng(1));
    expect(read(few, WINDOW_BARS - 2)).toBeNull();
    expect(deepLayer(null).value).toBeNull();
  });

  it("gives a window the same probabilities alone, in a batch and once it was written and read", () => {
    const { values } = drawShapeWindows(41, 40);
    const logits = logitsOf(trained.net, values);
    const reader = createReader(trained.net);
    const back = createReader(decodeNet(JSON.parse(JSON.stringify(encodeNet(trained.net)))));
    for (let n = 0; n < 40; n++) {
      const window = Float64Array.from(values.subarray(n * WINDOW_VALUES, (n + 1) * WINDOW_VALUES));
      const chances = reader.read(window).slice();
      expect(back.read(window)).toEqual(chances);
      const row = logits.slice(n * SHAPES.length, (n + 1) * SHAPES.length);
      const weights = row.map((logit) => Math.exp(logit / trained.net.temperature));
      const sum = weights.reduce((total, each) => total + each, 0);
      for (const [k, chance] of chances.entries()) expect(chance).toBeCloseTo(weights[k] / sum, 10);
    }
  });

  it("explains a window by parts that sum to its logit less that of a flat one", () => {
    for (let n = 0; n < EXPLAINED; n++) {
      const label = 1 + n;
      const window = windowAt(drawShapeBars(label, createRng(51, n)), WINDOW_BARS - 1);
      expect(window).not.toBeNull();
      const { base, logit, parts } = attributeWindow(trained.net, window ?? new Float64Array(), label);
      expect(Math.abs(parts.reduce((sum, part) => sum + part, 0) - (logit - base))).toBeLessThan(1e-3);
    }
  });

  it("learns from stored windows what drawn ones do not show, and is left alone where they make it worse", () => {
    const stored = (seed: number, count: number) => drawFoundWindows(seed, count);
    const untold = trainSequenceNet({ seed: 3, windows: 600, epochs: 2, size: TINY });
    const parts = {
      train: stored(1, 900),
      validation: stored(2, 300),
      calibration: stored(3, 300),
      test: stored(4, 300),
    };
    const lossOf = (
      { size, values, temperature }: typeof untold.net,
      { values: windows, labels }: LabelledWindows,
    ) => meanLoss(logitsOf({ size, values }, windows), labels, SHAPES.length, temperature);
    const tuned = fineTune(untold.net, parts, { seed: 5, windows: 300, epochs: 4 });
    expect(lossOf(tuned.net, parts.test)).toBeLessThan(lossOf(untold.net, parts.test));
    expect(tuned.report.best).toBeGreaterThan(0);
    const senseless = {
      ...parts,
      train: { ...parts.train, labels: parts.train.labels.map((_, n) => 1 + (n % 15)) },
    };
    const same = fineTune(trained.net, senseless, { seed: 5, windows: 0, epochs: 2, rate: 0.01 });
    expect(same.report.best).toBe(0);
    expect(same.net.values).toEqual(trained.net.values);
  });
});

describe("training", () => {
  const short = { seed: 6, windows: 400, epochs: 3, size: TINY };

  it("gives the same net to the last bit for a seed, and another for another", () => {
    const { net, report } = trainSequenceNet(short);
    expect(trainSequenceNet(short)).toEqual({ net, report });
    expect(trainSequenceNet({ ...short, seed: 7 }).net.values).not.toEqual(net.values);
    expect(net.values).toEqual(net.values.map(Math.fround));
  });

  it("tells of each epoch and ends where it is told to", () => {
    const told: EpochReport[] = [];
    const { report } = trainSequenceNet({
      ...short,
      onEpoch: (epoch) => {
        told.push(epoch);
        return told.length < 2;
      },
    });
    expect(told.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(report.epochs).toEqual(told);
  });

  it("keeps the parameters of the lowest validation loss and ends when none is lower any more", () => {
    const windows = drawShapeWindows(1, 64);
    const validation = drawShapeWindows(2, 200);
    const start = initialValues(TINY, createRng(9));
    const fit = fitNet(TINY, start, windows, validation, {
      ...USUAL_FIT,
      seed: 1,
      epochs: 60,
      rate: 0.03,
      dropout: 0,
      patience: 3,
    });
    const losses = fit.epochs.map(({ validationLoss }) => validationLoss);
    expect(fit.epochs.length).toBeLessThan(60);
    expect(fit.epochs.length).toBe(fit.best + 3);
    expect(Math.min(...losses)).toBe(losses[fit.best - 1]);
    const logits = logitsOf({ size: TINY, values: fit.values }, validation.values);
    expect(meanLoss(logits, validation.labels, SHAPES.length, 1)).toBe(losses[fit.best - 1]);
  });

  it("finds nothing in labels that were dealt out at random", () => {
    const rng = createRng(12);
    const dealt = (seed: number, count: number) => {
      const { values } = drawShapeWindows(seed, count);
      return { values, labels: Uint8Array.from({ length: count }, () => rng.below(SHAPES.length)) };
    };
    const start = initialValues(TINY, createRng(9));
    const validation = dealt(2, 1_000);
    const fit = fitNet(TINY, start, dealt(1, 600), validation, { ...USUAL_FIT, seed: 1, epochs: 5 });
    const { accuracy } = confusionOf(
      logitsOf({ size: TINY, values: fit.values }, validation.values),
      validation.labels,
      SHAPES.length,
    );
    expect(accuracy).toBeLessThan(1 / SHAPES.length + 4 * Math.sqrt(0.06 / 1_000));
  });

  it("learns most of a set by heart without dropout", () => {
    const windows = drawShapeWindows(1, 60);
    const start = initialValues(TINY, createRng(9));
    const all = { ...USUAL_FIT, seed: 1, epochs: 150, rate: 0.01, dropout: 0, patience: 150 };
    const fit = fitNet(TINY, start, windows, windows, all);
    expect(fit.epochs.at(-1)?.macroF1).toBeGreaterThan(0.8);
  });
});

describe("measures", () => {
  it("count what was named, by class", () => {
    const labels = Uint8Array.of(0, 0, 1, 1, 1, 3);
    const named = [0, 1, 1, 1, 0, 3];
    const logits = Float64Array.from(named.flatMap((k) => [0, 1, 2, 3].map((other) => Number(other === k))));
    const { counts, f1, macroF1, precision, recall, accuracy } = confusionOf(logits, labels, 4);
    expect(counts.map((row) => [...row])).toEqual([
      [1, 1, 0, 0],
      [1, 2, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ]);
    expect([...precision]).toEqual([1 / 2, 2 / 3, 0, 1]);
    expect([...recall]).toEqual([1 / 2, 2 / 3, 0, 1]);
    expect([...f1]).toEqual([1 / 2, 2 / 3, 0, 1]);
    expect(macroF1).toBeCloseTo((1 / 2 + 2 / 3 + 1) / 3, 12);
    expect(accuracy).toBeCloseTo(4 / 6, 12);
  });

  it("find the temperature by which logits were made too sure", () => {
    const rng = createRng(21);
    const count = 20_000;
    const logits = new Float64Array(3 * count);
    const labels = new Uint8Array(count);
    for (let n = 0; n < count; n++) {
      const row = [rng.normal(), rng.normal(), rng.normal()];
      const weights = row.map(Math.exp);
      let draw = rng.next() * (weights[0] + weights[1] + weights[2]);
      while (labels[n] < 2 && draw >= weights[labels[n]]) draw -= weights[labels[n]++];
      for (let k = 0; k < 3; k++) logits[3 * n + k] = 2.5 * row[k];
    }
    const temperature = fitTemperature(logits, labels, 3);
    expect(temperature).toBeGreaterThan(2.4);
    expect(temperature).toBeLessThan(2.6);
    for (const other of [temperature * 0.99, temperature * 1.01]) {
      expect(meanLoss(logits, labels, 3, other)).toBeGreaterThan(meanLoss(logits, labels, 3, temperature));
    }
    expect(calibrationError(logits, labels, 3, temperature)).toBeLessThan(0.015);
    expect(calibrationError(logits, labels, 3, 1)).toBeGreaterThan(0.15);
  });
});
