import { hash32 } from "../../base/rng.js";
import { check, type RuleCheck, type Verdict, verdictOf } from "../governance.js";
import { PAIRED_RULES, type PairedGain, pairedChecks, pairedGain } from "../paired.js";
import { SHAPES } from "../shapes.js";
import { drawFoundWindows } from "../shapes-found.js";
import { type HistoryWindows, splitHistory } from "../shapes-history.js";
import { joinWindows, type LabelledWindows } from "../shapes-windows.js";
import { NET_COLUMNS } from "./columns.js";
import type { EpochReport } from "./fit.js";
import type { NetSize } from "./layout.js";
import { calibrationError, confusionOf, lossesOf, meanLoss } from "./measures.js";
import { logitsOf, NET_SCHEMA, type SequenceNet } from "./net.js";
import { fineTune, testWindows, trainSequenceNet } from "./train.js";

/** Eight hexadecimal digits that other columns, shapes or another meaning of the parameters would change. */
export const NET_LINEAGE: string = hash32(JSON.stringify([NET_SCHEMA, NET_COLUMNS, SHAPES]))
  .toString(16)
  .padStart(8, "0");

/** How a net is learned and tried. */
export interface NetTerms {
  readonly seed: number;
  /** Drawn windows to learn from, of which `foundShare` are found in walks, and passes over them at most. */
  readonly windows: number;
  readonly foundShare: number;
  readonly epochs: number;
  /** Stored windows from which on they are learned from, too, beside so many drawn ones in so many passes. */
  readonly leastStored: number;
  readonly fineWindows: number;
  readonly fineEpochs: number;
  /** Drawn windows that it is tried on, as many with planted shapes as found in walks. */
  readonly tried: number;
  readonly leastF1: number;
  /** Of windows as the net is to read: what naming none anywhere comes to is 0.06. */
  readonly leastReadF1: number;
  readonly mostCalibrationError: number;
  /** The usual one unless given. */
  readonly size?: NetSize | undefined;
}

/** About eighty seconds of one core. */
export const NET_TERMS: Omit<NetTerms, "seed"> = Object.freeze({
  windows: 24_000,
  foundShare: 0.5,
  epochs: 10,
  leastStored: 1_000,
  fineWindows: 6_000,
  fineEpochs: 4,
  tried: 2_000,
  leastF1: 0.9,
  leastReadF1: 0.2,
  mostCalibrationError: 0.05,
});

/** What was measured of a net on windows that neither its parameters nor its temperature come from. */
export interface NetEvaluation {
  /** Windows with planted shapes, and how well they were named. */
  readonly planted: number;
  readonly macroF1: number;
  readonly accuracy: number;
  /** Least F1 of a class. */
  readonly leastF1: number;
  /** Windows as the net is to read: found in walks, and the newest of those that are stored. */
  readonly read: number;
  readonly readF1: number;
  /** How far the probability of the named class is from the share of them that was named rightly. */
  readonly calibrationError: number;
  /** The same without the temperature. */
  readonly rawError: number;
  /** Mean cross-entropy of planted and found windows. */
  readonly loss: number;
  /** Stored windows among those that are read, and how well these were named; NaN without any. */
  readonly stored: number;
  readonly storedF1: number;
}

export const NET_RULES = ["macro_f1_at_least", "read_f1_at_least", "calibrated", ...PAIRED_RULES] as const;
export type NetRule = (typeof NET_RULES)[number];

/**
 * Whether a net may become the active version. What is not a number passes no rule.
 * @param comparison loss saved a window against the active version; null without one, which passes.
 */
export function judgeNet(
  found: Pick<NetEvaluation, "macroF1" | "readF1" | "calibrationError">,
  comparison: Pick<PairedGain, "gain" | "low"> | null,
  terms: Pick<NetTerms, "leastF1" | "leastReadF1" | "mostCalibrationError"> = NET_TERMS,
): Verdict<NetRule> {
  const { macroF1, readF1, calibrationError: error } = found;
  const { leastF1, leastReadF1, mostCalibrationError } = terms;
  const checks: readonly RuleCheck<NetRule>[] = [
    check("macro_f1_at_least", macroF1, leastF1, macroF1 >= leastF1),
    check("read_f1_at_least", readF1, leastReadF1, readF1 >= leastReadF1),
    check("calibrated", error, mostCalibrationError, error <= mostCalibrationError),
    ...pairedChecks(comparison),
  ];
  return verdictOf(checks);
}

export interface NetCandidate {
  readonly net: SequenceNet;
  readonly evaluation: NetEvaluation;
  readonly verdict: Verdict<NetRule>;
  readonly epochs: readonly EpochReport[];
  /** Stored windows that were learned from; 0 where there were too few. */
  readonly storedLearned: number;
}

const SHARES = [0.6, 0.1, 0.1, 0.2];

/**
 * Learns a net on drawn windows, then on stored ones where there are enough, and tries it on others. One that forgot so
 * much over stored windows that a rule refuses it gives way to the one before. The same windows, terms and incumbent
 * give the same candidate to the last bit.
 * @param history windows of stored series. @param incumbent the active net; null without one.
 * @param onEpoch told of each pass over the windows; false ends what is under way.
 */
export function learnNet(
  history: readonly HistoryWindows[],
  terms: NetTerms,
  incumbent: SequenceNet | null,
  onEpoch?: (report: EpochReport) => boolean,
): NetCandidate {
  const { seed, windows, foundShare, epochs, size } = terms;
  const drawn = trainSequenceNet({ seed, windows, foundShare, epochs, size, onEpoch });
  const trial = trialOf(terms, incumbent);
  const { epochs: passes } = drawn.report;
  const parts = splitHistory(history, SHARES);
  const stored = history.reduce((sum, { labels }) => sum + labels.length, 0);
  const enough = stored >= terms.leastStored && parts.every(({ labels }) => labels.length > 0);
  if (!enough) return { ...tryNet(drawn.net, trial, null), epochs: passes, storedLearned: 0 };
  const [train, validation, calibration, test] = parts;
  const tuned = fineTune(
    drawn.net,
    { train, validation, calibration: withFound(calibration, terms, "calibration"), test },
    { seed, windows: terms.fineWindows, epochs: terms.fineEpochs, onEpoch },
  );
  const all = [...passes, ...tuned.report.epochs];
  const found = tryNet(tuned.net, trial, test);
  if (found.verdict.promoted) return { ...found, epochs: all, storedLearned: train.labels.length };
  return { ...tryNet(drawn.net, trial, test), epochs: all, storedLearned: 0 };
}

/**
 * Tries a net that was learned elsewhere, on drawn windows alone: what is stored it may have learned from. Its terms draw
 * windows that it cannot have seen only where their seed was unknown when it was learned.
 * @param incumbent the active net; null without one.
 */
export function tryForeignNet(
  net: SequenceNet,
  terms: NetTerms,
  incumbent: SequenceNet | null,
): Pick<NetCandidate, "evaluation" | "verdict"> {
  const { evaluation, verdict } = tryNet(net, trialOf(terms, incumbent), null);
  return { evaluation, verdict };
}

/** What nets are tried on by the same terms: drawn windows that no training draws. */
interface TrialWindows {
  readonly planted: LabelledWindows;
  readonly found: LabelledWindows;
}

interface Trial {
  readonly terms: NetTerms;
  readonly windows: TrialWindows;
  /** Loss of each window by the active net; null without one. */
  readonly before: NetLosses | null;
}

type NetLosses = Readonly<Record<keyof TrialWindows, Float64Array>>;

/**
 * Mean length of blocks of windows found in walks: they end six bars apart, about, and what two of fifty bars share grows
 * less with each bar between them, so that blocks are of twice as many as overlap.
 */
const FOUND_BLOCK = 17;

function drawTrial({ seed, tried }: Pick<NetTerms, "seed" | "tried">): TrialWindows {
  const [planted, found] = [hash32(`planted ${seed}`), hash32(`found ${seed}`)];
  return { planted: testWindows(planted, tried), found: drawFoundWindows(found, tried) };
}

function trialOf(terms: NetTerms, incumbent: SequenceNet | null): Trial {
  const windows = drawTrial(terms);
  return { terms, windows, before: incumbent === null ? null : netLosses(incumbent, windows) };
}

function netLosses(net: SequenceNet, { planted, found }: TrialWindows): NetLosses {
  const of = ({ values, labels }: LabelledWindows) =>
    lossesOf(logitsOf(net, values), labels, SHAPES.length, net.temperature);
  return { planted: of(planted), found: of(found) };
}

function tryNet(net: SequenceNet, { terms, windows, before }: Trial, test: LabelledWindows | null) {
  const evaluation = evaluateNet(net, terms, test, windows);
  const comparison = before === null ? null : savedLoss(before, netLosses(net, windows), terms.seed);
  return { net, evaluation, verdict: judgeNet(evaluation, comparison, terms) };
}

function savedLoss(before: NetLosses, after: NetLosses, seed: number): PairedGain {
  const saved = (of: keyof TrialWindows) => before[of].map((loss, n) => loss - after[of][n]);
  const found = { gains: saved("found"), meanBlock: FOUND_BLOCK };
  return pairedGain([{ gains: saved("planted"), meanBlock: 1 }, found], seed);
}

/** Few stored windows would set the temperature by chance. */
function withFound(windows: LabelledWindows, { seed, windows: count }: NetTerms, what: string) {
  return joinWindows([windows, drawFoundWindows(hash32(`${what} ${seed}`), Math.ceil(count / 8))]);
}

/**
 * Tries a net on drawn windows that no training draws, the same for every net that is tried by the same terms.
 * @param stored windows of stored bars that it did not learn from; null without any.
 */
export function evaluateNet(
  net: SequenceNet,
  { seed, tried }: Pick<NetTerms, "seed" | "tried">,
  stored: LabelledWindows | null,
  { planted, found }: TrialWindows = drawTrial({ seed, tried }),
): NetEvaluation {
  const { temperature } = net;
  const classes = SHAPES.length;
  const read = stored === null ? found : joinWindows([found, stored]);
  const [plantedLogits, readLogits] = [logitsOf(net, planted.values), logitsOf(net, read.values)];
  const named = confusionOf(plantedLogits, planted.labels, classes);
  const foundLogits = readLogits.subarray(0, tried * classes);
  const losses = [
    meanLoss(plantedLogits, planted.labels, classes, temperature),
    meanLoss(foundLogits, found.labels, classes, temperature),
  ];
  const storedLogits = readLogits.subarray(tried * classes);
  return {
    planted: tried,
    macroF1: named.macroF1,
    accuracy: named.accuracy,
    leastF1: Math.min(...named.f1),
    read: read.labels.length,
    readF1: confusionOf(readLogits, read.labels, classes).macroF1,
    calibrationError: calibrationError(readLogits, read.labels, classes, temperature),
    rawError: calibrationError(readLogits, read.labels, classes, 1),
    loss: (losses[0] + losses[1]) / 2,
    stored: stored?.labels.length ?? 0,
    storedF1: stored === null ? Number.NaN : confusionOf(storedLogits, stored.labels, classes).macroF1,
  };
}
