import { assert } from "../../base/assert.js";
import { createRng, type Rng, shuffle } from "../../base/rng.js";
import type { LabelledWindows } from "../shapes-windows.js";
import { adamStep, createMoments, type Moments } from "./adam.js";
import { backward, createDescent, type Descent } from "./backward.js";
import { createPass, forward, type Pass } from "./forward.js";
import type { NetSize } from "./layout.js";
import { crossEntropy } from "./loss.js";
import { confusionOf, meanLoss } from "./measures.js";
import { logitsOf } from "./net.js";

/** What one pass over the training windows came to. */
export interface EpochReport {
  /** 1 for the first. */
  readonly epoch: number;
  /** Mean cross-entropy while training, with dropout and smoothed labels, and on the validation windows. */
  readonly trainLoss: number;
  readonly validationLoss: number;
  /** Of the validation windows. */
  readonly macroF1: number;
}

export interface FitSettings {
  readonly seed: number;
  /** Passes over the training windows at most. */
  readonly epochs: number;
  /** Highest rate of learning; it falls along half a cosine (I. Loshchilov and F. Hutter 2017). */
  readonly rate: number;
  readonly batch: number;
  /** Chance that an output of the last step is left out while training (N. Srivastava et al. 2014), below 1. */
  readonly dropout: number;
  /** Share of labels that is spread over all classes. */
  readonly smoothing: number;
  /** Largest norm of a gradient. */
  readonly clip: number;
  /** Epochs in a row without a lower validation loss after which training ends. */
  readonly patience: number;
  /** Told of each epoch; false ends the training. */
  readonly onEpoch?: ((report: EpochReport) => boolean) | undefined;
}

export const USUAL_FIT: Omit<FitSettings, "seed" | "onEpoch"> = {
  epochs: 10,
  rate: 4e-3,
  batch: 32,
  dropout: 0.1,
  smoothing: 0,
  clip: 1,
  patience: 4,
};

export interface Fit {
  readonly values: Float64Array;
  readonly epochs: readonly EpochReport[];
  /** Epoch whose parameters were kept, the one with the lowest validation loss; 0 for those it began with. */
  readonly best: number;
}

/**
 * Fits parameters to windows by stochastic descent from `start`, which is left as it is, and keeps those of the lowest
 * validation loss, that of `start` included. The same windows, settings and seed give the same parameters, rounded to
 * 32-bit floats.
 */
export function fitNet(
  size: NetSize,
  start: Float64Array,
  windows: LabelledWindows,
  validation: LabelledWindows,
  settings: FitSettings,
): Fit {
  const count = windows.labels.length;
  assert(count > 0 && validation.labels.length > 0, "there are windows to train on and to validate on");
  const lossOf = (values: Float64Array) => {
    const logits = logitsOf({ size, values }, validation.values);
    const validationLoss = meanLoss(logits, validation.labels, size.classes, 1);
    return { validationLoss, macroF1: confusionOf(logits, validation.labels, size.classes).macroF1 };
  };
  const fitting = createFitting(size, start, settings, Math.ceil(count / settings.batch) * settings.epochs);
  const order = Float64Array.from({ length: count }, (_, i) => i);
  const rng = createRng(settings.seed, 0x6f72);
  let kept = { values: start, loss: lossOf(start).validationLoss, epoch: 0 };
  const epochs: EpochReport[] = [];
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    shuffle(order, rng);
    const trainLoss = runEpoch(fitting, windows, order);
    const rounded = fitting.pass.values.map(Math.fround);
    const report = { epoch, trainLoss, ...lossOf(rounded) };
    epochs.push(report);
    if (report.validationLoss < kept.loss) kept = { values: rounded, loss: report.validationLoss, epoch };
    const goesOn = settings.onEpoch?.(report) ?? true;
    if (!goesOn || epoch - kept.epoch >= settings.patience) break;
  }
  return { values: kept.values.map(Math.fround), epochs, best: kept.epoch };
}

/** What a fit works with from its first batch to its last. */
interface Fitting {
  readonly settings: FitSettings;
  readonly pass: Pass;
  readonly descent: Descent;
  readonly moments: Moments;
  readonly labels: Uint8Array;
  readonly dice: Rng;
  /** Batches of all epochs together. */
  readonly steps: number;
}

function createFitting(size: NetSize, start: Float64Array, settings: FitSettings, steps: number): Fitting {
  const pass = createPass(size, Float64Array.from(start), settings.batch);
  return {
    settings,
    pass,
    descent: createDescent(pass),
    moments: createMoments(start.length),
    labels: new Uint8Array(settings.batch),
    dice: createRng(settings.seed, 0x6472),
    steps,
  };
}

/** Trains on every window once, in an order. @returns mean cross-entropy of the windows as they were met. */
function runEpoch(fitting: Fitting, windows: LabelledWindows, order: Float64Array): number {
  const { settings, pass, descent, labels, moments } = fitting;
  const { classes } = pass.size;
  const count = order.length;
  let loss = 0;
  for (let from = 0; from < count; from += settings.batch) {
    const size = Math.min(settings.batch, count - from);
    gather(pass, windows, order, from, size, labels);
    dropOutputs(pass.mask, settings.dropout, fitting.dice);
    forward(pass, size);
    loss += crossEntropy(pass.logits, labels, size, classes, settings.smoothing, descent.logits);
    descent.gradient.fill(0);
    backward(pass, descent, size, false);
    const rate = (settings.rate * (1 + Math.cos((Math.PI * moments.steps) / fitting.steps))) / 2;
    adamStep(pass.values, descent.gradient, moments, rate, settings.clip);
  }
  return loss / count;
}

function gather(
  pass: Pass,
  { values, labels }: LabelledWindows,
  order: Float64Array,
  from: number,
  count: number,
  into: Uint8Array,
): void {
  const width = pass.size.bars * pass.size.columns;
  for (let b = 0; b < count; b++) {
    const window = order[from + b];
    const at = window * width;
    for (let i = 0; i < width; i++) pass.input[b * width + i] = values[at + i];
    into[b] = labels[window];
  }
}

/** Draws which outputs are left out; the others are scaled up so that their sum is expected to stay the same. */
function dropOutputs(mask: Float64Array, share: number, dice: Rng): void {
  if (share === 0) return;
  const kept = 1 / (1 - share);
  for (let i = 0; i < mask.length; i++) mask[i] = dice.next() < share ? 0 : kept;
}
