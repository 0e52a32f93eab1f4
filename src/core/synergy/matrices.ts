import {
  CHANGE_BARS,
  MATRICES,
  MOMENT_BARS,
  RUNNING_BARS,
  RUNNING_WEIGHT,
  USUAL_BARS,
} from "./matrix-features.js";
import { RingMatrix } from "./ring-matrix.js";

/** Places of the inputs of a matrix. */
function placesOf<Name extends string>(
  inputs: readonly string[],
  names: readonly Name[],
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, inputs.indexOf(name)])) as Record<Name, number>;
}

const CLOSE = MATRICES.structure.inputs.indexOf("close");
const STRUCTURE = placesOf(MATRICES.structure.inputs, ["range", "mlmi", "mlmi_cross", "estimate", "slope"]);
const NODES = placesOf(MATRICES.structure.inputs, [
  "below",
  "below_strength",
  "has_below",
  "above",
  "above_strength",
  "has_above",
]);
const SESSION = placesOf(MATRICES.structure.inputs, ["session_minute", "session_minutes"]);

/** Half hours: MLMI, NW-RQK, the nearest low volume node and the time of the session. */
export class StructureMatrix extends RingMatrix {
  constructor(state?: Float64Array) {
    super(MATRICES.structure, 0, state);
  }

  /** Takes the closed bar that `inputs` tells of; nodes by their distance from the close, of either sign. */
  advance(): void {
    const at = this.next();
    const { inputs, values } = this;
    const close = inputs[CLOSE];
    const range = inputs[STRUCTURE.range];
    values[at] = (inputs[STRUCTURE.mlmi] - 50) / 50;
    values[at + 1] = inputs[STRUCTURE.mlmi_cross];
    const estimate = inputs[STRUCTURE.estimate];
    // Without a range they differ by rounding alone.
    const away = range === 0 ? 0 * estimate : (estimate - close) / range;
    values[at + 2] = Math.max(-5, Math.min(5, away)) / 5;
    values[at + 3] = Math.max(-2, Math.min(2, inputs[STRUCTURE.slope])) / 2;
    const below = Math.abs(inputs[NODES.below]);
    const above = Math.abs(inputs[NODES.above]);
    const hasBelow = inputs[NODES.has_below];
    const hasAbove = inputs[NODES.has_above];
    const isAbove = hasAbove === 1 && !(hasBelow === 1 && below <= above);
    // 0 without a node, and NaN while that is not known.
    const has = isAbove ? hasAbove : hasBelow;
    values[at + 4] = has * Math.exp(-(isAbove ? above : below) / range);
    values[at + 5] = has * inputs[isAbove ? NODES.above_strength : NODES.below_strength];
    const turn = (2 * Math.PI * inputs[SESSION.session_minute]) / inputs[SESSION.session_minutes];
    values[at + 6] = Math.sin(turn);
    values[at + 7] = Math.cos(turn);
  }
}

const TACTICAL = placesOf(MATRICES.tactical.inputs, [
  "close",
  "volume",
  "range",
  "gap",
  "bullish",
  "bearish",
  "distance",
  "age",
  "bullish_fill",
  "bearish_fill",
  "strength",
]);
/** Closes by turns, then volumes. */
const TACTICAL_VOLUMES = CHANGE_BARS;

/** Five minutes: fair value gaps, momentum and volume. */
export class TacticalMatrix extends RingMatrix {
  constructor(state?: Float64Array) {
    super(MATRICES.tactical, CHANGE_BARS + USUAL_BARS, state);
  }

  /** Takes the closed bar that `inputs` tells of. */
  advance(): void {
    const n = this.taken | 0;
    const at = this.next();
    const { inputs, values, memory } = this;
    const close = inputs[TACTICAL.close];
    const volume = inputs[TACTICAL.volume];
    const range = inputs[TACTICAL.range];
    const bullish = inputs[TACTICAL.bullish];
    const bearish = inputs[TACTICAL.bearish];
    const isOpen = bullish + bearish;
    values[at] = bullish;
    values[at + 1] = bearish;
    values[at + 2] = Math.max(-2, Math.min(2, inputs[TACTICAL.distance] / range)) / 2;
    values[at + 3] = isOpen === 0 ? 0 : Math.exp(-5 * inputs[TACTICAL.age]);
    values[at + 4] = Math.sign(inputs[TACTICAL.bullish_fill]) - Math.sign(inputs[TACTICAL.bearish_fill]);
    const place = n % CHANGE_BARS;
    const before = n < CHANGE_BARS ? Number.NaN : memory[place];
    memory[place] = close;
    values[at + 5] = Math.max(-5, Math.min(5, (close - before) / range)) / 5;
    let usual = 0;
    for (let k = 0; k < USUAL_BARS; k++) usual += memory[TACTICAL_VOLUMES + k];
    usual /= USUAL_BARS;
    memory[TACTICAL_VOLUMES + (n % USUAL_BARS)] = volume;
    const ratio = volume / usual;
    // The hyperbolic tangent of a logarithm, without either.
    const ofRatio = ratio < 1e100 ? ((ratio - 1) * (ratio + 1)) / (ratio * ratio + 1) : 1;
    values[at + 6] = n < USUAL_BARS ? Number.NaN : usual > 0 ? ofRatio : 0;
    values[at + 7] = Math.max(-5, Math.min(5, inputs[TACTICAL.gap] / range)) / 5;
    values[at + 8] = inputs[TACTICAL.strength];
  }
}

const REGIME = placesOf(MATRICES.regime.inputs, ["close", "volume", "range", "mmd_normal"]);
const MMD_COUNT = 8;
const CLOSES = 2 * CHANGE_BARS;
/** The last close, closes by turns, returns, volumes; then how many deviations were seen, and their running mean and variance. */
const BEFORE = 0;
const RETURNS = 1 + CLOSES;
const VOLUMES = RETURNS + MOMENT_BARS;
const SEEN = VOLUMES + MOMENT_BARS;
const MEAN = SEEN + 1;
const VARIANCE = SEEN + 2;

/** Half hours: distances from kinds of markets, volatility, skewness of volume, acceleration and drift. */
export class RegimeMatrix extends RingMatrix {
  constructor(state?: Float64Array) {
    super(MATRICES.regime, VARIANCE + 1, state);
  }

  /** Takes the closed bar that `inputs` tells of. */
  advance(): void {
    const n = this.taken | 0;
    const at = this.next();
    const { inputs, values, memory } = this;
    const close = inputs[REGIME.close];
    for (let k = 0; k < MMD_COUNT; k++) values[at + k] = inputs[REGIME.mmd_normal + k];
    const now = 1 + (n % CLOSES);
    const middle = 1 + ((n + CHANGE_BARS) % CLOSES);
    const acceleration =
      n < CLOSES ? Number.NaN : (close - 2 * memory[middle] + memory[now]) / inputs[REGIME.range];
    values[at + 10] = Math.max(-5, Math.min(5, acceleration)) / 5;
    memory[now] = close;
    memory[RETURNS + (n % MOMENT_BARS)] = n === 0 ? Number.NaN : Math.log(close / memory[BEFORE]);
    memory[BEFORE] = close;
    memory[VOLUMES + (n % MOMENT_BARS)] = inputs[REGIME.volume];
    this.spread(n, at);
    this.skew(n, at);
  }

  /** Volatility and drift of the returns. */
  private spread(n: number, at: number): void {
    const { values, memory } = this;
    values[at + 8] = values[at + 11] = Number.NaN;
    if (n < MOMENT_BARS) return;
    let mean = 0;
    for (let k = 0; k < MOMENT_BARS; k++) mean += memory[RETURNS + k];
    mean /= MOMENT_BARS;
    let squares = 0;
    for (let k = 0; k < MOMENT_BARS; k++) {
      const away = memory[RETURNS + k] - mean;
      squares += away * away;
    }
    const deviation = Math.sqrt(squares / (MOMENT_BARS - 1));
    const drift = deviation > 0 ? (mean * Math.sqrt(MOMENT_BARS)) / deviation : 3 * Math.sign(mean);
    values[at + 11] = Math.max(-3, Math.min(3, drift)) / 3;
    if (Number.isNaN(deviation)) return;
    const away = deviation - memory[MEAN];
    if (memory[SEEN] >= RUNNING_BARS) {
      const scale = Math.sqrt(memory[VARIANCE]);
      values[at + 8] = scale > 0 ? Math.max(-3, Math.min(3, away / scale)) / 3 : 0;
    }
    const isFirst = memory[SEEN] === 0;
    memory[MEAN] = isFirst ? deviation : memory[MEAN] + RUNNING_WEIGHT * away;
    memory[VARIANCE] = isFirst ? 0 : (1 - RUNNING_WEIGHT) * (memory[VARIANCE] + RUNNING_WEIGHT * away * away);
    memory[SEEN]++;
  }

  /** Skewness of the volumes. */
  private skew(n: number, at: number): void {
    const { values, memory } = this;
    values[at + 9] = Number.NaN;
    if (n < MOMENT_BARS - 1) return;
    let mean = 0;
    for (let k = 0; k < MOMENT_BARS; k++) mean += memory[VOLUMES + k];
    mean /= MOMENT_BARS;
    let second = 0;
    let third = 0;
    for (let k = 0; k < MOMENT_BARS; k++) {
      const away = memory[VOLUMES + k] - mean;
      second += away * away;
      third += away * away * away;
    }
    second /= MOMENT_BARS;
    third /= MOMENT_BARS;
    // Equal volumes differ from their mean by rounding alone.
    const isFlat = second <= mean * mean * 1e-24;
    values[at + 9] = isFlat ? 0 : Math.max(-3, Math.min(3, third / (second * Math.sqrt(second)))) / 3;
  }
}
