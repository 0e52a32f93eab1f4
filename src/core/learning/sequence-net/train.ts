import { createRng } from "../../base/rng.js";
import { SHAPES } from "../shapes.js";
import { drawFoundWindows } from "../shapes-found.js";
import { drawShapeWindows, joinWindows, type LabelledWindows } from "../shapes-windows.js";
import { NET_COLUMNS } from "./columns.js";
import { type EpochReport, type FitSettings, fitNet, USUAL_FIT } from "./fit.js";
import { initialValues, type NetSize } from "./layout.js";
import { type Confusion, calibrationError, confusionOf, fitTemperature } from "./measures.js";
import { logitsOf, type SequenceNet, usualSize } from "./net.js";

/** What a net is trained with from nothing. */
export interface TrainSettings extends Partial<Omit<FitSettings, "seed">> {
  readonly seed: number;
  /** Drawn windows to train on; two thirds as many more are drawn for validation, calibration and test together. */
  readonly windows: number;
  /** Share of them that are found in walks; shapes are planted in the others. `FOUND_SHARE` unless given. */
  readonly foundShare?: number | undefined;
  /** `usualSize` unless given. */
  readonly size?: NetSize | undefined;
}

/** How good a net is, on windows that neither its parameters nor its temperature come from. */
export interface NetReport {
  readonly epochs: readonly EpochReport[];
  /** Epoch whose parameters were kept; 0 where training made nothing better. */
  readonly best: number;
  /** Of drawn windows with planted shapes. */
  readonly planted: Confusion;
  /** Of windows as the net is to read: found in walks or, after `fineTune`, stored. */
  readonly found: Confusion;
  /** Expected calibration error of the latter, without and with the temperature. */
  readonly rawError: number;
  readonly error: number;
}

export interface TrainedNet {
  readonly net: SequenceNet;
  readonly report: NetReport;
}

/** Seeds of sets of windows, apart from each other for every seed of a training. */
const SETS = { train: 0, validation: 1, calibration: 2, test: 3 } as const;
/** Times the usual noise, by share of the training windows: also what is harder than usual is learned from. */
const NOISES = [0.7, 1, 1.4] as const;

/** Windows that a training with this seed does not learn from. @param noise times the usual one. */
export function testWindows(seed: number, count: number, noise = 1): LabelledWindows {
  return drawShapeWindows(seedOf(seed, "test"), count, noise);
}

function seedOf(seed: number, set: keyof typeof SETS): number {
  return Math.imul(seed, 0x9e3779b1) + SETS[set];
}

/** Share of the drawn windows of a training that are found in walks. */
export const FOUND_SHARE = 0.5;

function drawMixed(seed: number, count: number, foundShare: number): LabelledWindows {
  const found = Math.round(foundShare * count);
  const planted = count - found;
  const part = Math.ceil(planted / NOISES.length);
  const sets = NOISES.map((noise, n) => {
    const size = Math.max(0, Math.min(part, planted - n * part));
    return drawShapeWindows(seed + n * 0x10000000, size, noise);
  });
  return joinWindows([...sets, drawFoundWindows(seed, found)]);
}

/**
 * Trains a net on drawn windows. It is pure: the same settings give the same net to the last bit, in whatever thread.
 * Windows of training, validation (which chooses the epoch), calibration (which sets the temperature, on windows found in
 * walks) and test are drawn from different seeds. 20,000 windows and ten epochs take about a minute.
 */
export function trainSequenceNet(settings: TrainSettings): TrainedNet {
  const { seed, windows, size = usualSize(SHAPES.length), foundShare = FOUND_SHARE, ...fit } = settings;
  const held = Math.max(64, Math.ceil(windows / 8));
  const start = initialValues(size, createRng(seed, 0x696e));
  const train = drawMixed(seedOf(seed, "train"), windows, foundShare);
  const validation = drawMixed(seedOf(seed, "validation"), held, foundShare);
  const fitted = fitNet(size, start, train, validation, { ...USUAL_FIT, ...fit, seed });
  const uncalibrated = { size, columns: NET_COLUMNS, classes: SHAPES, values: fitted.values };
  const calibration = drawFoundWindows(seedOf(seed, "calibration"), held);
  const test = {
    planted: testWindows(seed, 2 * held),
    found: drawFoundWindows(seedOf(seed, "test"), 2 * held),
  };
  return calibrated(uncalibrated, fitted, calibration, test);
}

/** Sets the temperature by windows that the parameters do not come from, and reports on others. */
function calibrated(
  parts: Omit<SequenceNet, "temperature">,
  { epochs, best }: Pick<NetReport, "epochs" | "best">,
  calibration: LabelledWindows,
  test: Readonly<Record<"planted" | "found", LabelledWindows>>,
): TrainedNet {
  const { classes } = parts.size;
  const temperature = fitTemperature(logitsOf(parts, calibration.values), calibration.labels, classes);
  const planted = logitsOf(parts, test.planted.values);
  const found = logitsOf(parts, test.found.values);
  const { labels } = test.found;
  return {
    net: { ...parts, temperature },
    report: {
      epochs,
      best,
      planted: confusionOf(planted, test.planted.labels, classes),
      found: confusionOf(found, labels, classes),
      rawError: calibrationError(found, labels, classes, 1),
      error: calibrationError(found, labels, classes, temperature),
    },
  };
}

/** What a trained net is made better with on bars as they are. */
export interface FineTuneSettings extends Partial<Omit<FitSettings, "seed">> {
  readonly seed: number;
  /** Drawn windows that are learned from beside the stored ones, so that what was learned is not forgotten. */
  readonly windows: number;
}

/** Stored windows, apart in time: to learn from, to choose the epoch by, for the temperature, and to report on. */
export interface StoredWindows {
  readonly train: LabelledWindows;
  readonly validation: LabelledWindows;
  readonly calibration: LabelledWindows;
  readonly test: LabelledWindows;
}

/** Rate of learning of a net that already knows most. */
const FINE_RATE = 1e-3;

/**
 * Trains a net further, on stored windows together with drawn ones. It is as it was where no epoch makes the loss on the
 * stored validation windows lower; the temperature is set anew in any case.
 */
export function fineTune(net: SequenceNet, stored: StoredWindows, settings: FineTuneSettings): TrainedNet {
  const { seed, windows, ...fit } = settings;
  const { temperature: _, ...parts } = net;
  const train = joinWindows([stored.train, drawMixed(seedOf(seed, "train"), windows, FOUND_SHARE)]);
  const all = { ...USUAL_FIT, rate: FINE_RATE, ...fit, seed };
  const fitted = fitNet(net.size, net.values, train, stored.validation, all);
  const test = { planted: testWindows(seed, stored.test.labels.length), found: stored.test };
  return calibrated({ ...parts, values: fitted.values }, fitted, stored.calibration, test);
}
