import { ensure } from "../base/assert.js";
import { computeIndicator, type Indicator, resolveParameters } from "../indicators/define.js";
import { rationalQuadraticSlope } from "../indicators/kernel/rational-quadratic-slope.js";
import { mlmi } from "../indicators/momentum/mlmi.js";
import { fairValueGap } from "../indicators/price/fair-value-gap.js";
import type { Bars, Candles } from "../market/candles.js";
import { INTERVAL_MS } from "../market/interval.js";
import { longerBars } from "./longer-bars.js";
import {
  BOTH_WAYS,
  LEGS,
  type Leg,
  type LegSignal,
  SIGNAL_SIZE,
  SIGNAL_STRENGTH,
  SIGNAL_TIME,
  SIGNAL_WAY,
} from "./sequence.js";

export interface LegTerms {
  /** Bars that make one of those that MLMI and NW-RQK look at. */
  readonly groupBars: number;
  /** Crossings that MLMI asks. */
  readonly neighbours: number;
  /** Least distance of MLMI from 50, in parts of 50. */
  readonly conviction: number;
  /** Least slope of NW-RQK, in average true ranges a bar. */
  readonly slope: number;
  /** Least size of a gap, in parts of the close. */
  readonly gap: number;
}

/** Bars of the window of NW-RQK. */
export const SLOPE_PERIOD = 50;
/** Slope and size of a gap, in their units, that are as strong as can be. */
const FULL_SLOPE = 2;
const FULL_GAP = 0.01;

/** First bar at which all legs can have spoken, bars of gaps being the shortest. */
export const LEGS_WARMUP = fairValueGap.warmup(presetsOf(fairValueGap, {}));

/** What a watch of legs is told, as doubles: when the bar closed, what each row says of it, and the close of a shorter one. */
export const LEG_TIME = 0;
export const LEG_MLMI = 1;
export const LEG_SLOPE = 2;
export const LEG_BULLISH_FILL = 3;
export const LEG_BEARISH_FILL = 4;
export const LEG_CLOSE = 5;
/** The signals of a slot, then on which side MLMI lies far from 50, the sign of the slope, and whether its turn is told. */
const SIGNALS = 6;
const SIDE = SIGNALS + SIGNAL_SIZE * LEGS.length;
const SIGN = SIDE + 1;
const IS_TOLD = SIDE + 2;
const MLMI_AT = SIGNALS + SIGNAL_SIZE * LEGS.indexOf("mlmi");
const NWRQK_AT = SIGNALS + SIGNAL_SIZE * LEGS.indexOf("nwrqk");
const FVG_AT = SIGNALS + SIGNAL_SIZE * LEGS.indexOf("fvg");

/**
 * Hears when the legs of one symbol begin, each at the bar at which it does and at no other. MLMI: it comes to lie far
 * from 50. NW-RQK: its slope comes to be steep, once after each of its turns. Both are of longer bars. FVG: price fills
 * gaps that are large enough; of both sides at once it says both ways. It allocates nothing.
 */
export class LegWatch {
  /** All there is to save: a copy that is set back goes on as this one would have. */
  declare readonly state: Float64Array;
  /** What it is told, by `LEG_TIME` and those after it: a part of `state`. */
  declare readonly inputs: Float64Array;
  /** What has begun since `clear`, as `SequenceWatch.take` reads it: a part of `state`. */
  declare readonly signals: Float64Array;
  declare private readonly terms: Float64Array;

  constructor({ conviction, slope, gap }: Pick<LegTerms, "conviction" | "slope" | "gap">) {
    this.state = new Float64Array(IS_TOLD + 1);
    this.inputs = this.state.subarray(0, SIGNALS);
    this.signals = this.state.subarray(SIGNALS, SIDE);
    this.terms = Float64Array.of(conviction, slope, gap);
  }

  /** To be called at each slot, before its bars are taken. */
  clear(): void {
    const { state } = this;
    state[MLMI_AT] = state[NWRQK_AT] = state[FVG_AT] = 0;
  }

  /** Takes a closed longer bar from `inputs`: MLMI and the slope of NW-RQK. Of two in one slot the later counts. */
  takeLonger(): void {
    const { state, terms } = this;
    const conviction = (state[LEG_MLMI] - 50) / 50;
    const distance = Math.abs(conviction);
    const side = distance >= terms[0] ? Math.sign(conviction) : 0;
    if (side !== 0 && side !== state[SIDE]) {
      state[MLMI_AT + SIGNAL_WAY] = side;
      state[MLMI_AT + SIGNAL_STRENGTH] = distance;
      state[MLMI_AT + SIGNAL_TIME] = state[LEG_TIME];
    }
    state[SIDE] = side;
    const slope = state[LEG_SLOPE];
    const sign = slope > 0 ? 1 : slope < 0 ? -1 : 0;
    if (sign !== 0 && sign !== state[SIGN]) {
      // What the slope did before its first turn is not known to have begun.
      state[IS_TOLD] = state[SIGN] === 0 ? 1 : 0;
      state[SIGN] = sign;
    }
    const steepness = Math.abs(slope);
    if (state[IS_TOLD] === 1 || !(steepness >= terms[1])) return;
    state[IS_TOLD] = 1;
    // Where no steepness is asked, a slope of 0 says no way.
    if (sign === 0) return;
    state[NWRQK_AT + SIGNAL_WAY] = sign;
    state[NWRQK_AT + SIGNAL_STRENGTH] = Math.min(1, steepness / FULL_SLOPE);
    state[NWRQK_AT + SIGNAL_TIME] = state[LEG_TIME];
  }

  /** Takes a closed shorter bar from `inputs`: what it filled of gaps, in price, and its close. */
  takeShorter(): void {
    const { state, terms } = this;
    const bullish = state[LEG_BULLISH_FILL] / state[LEG_CLOSE];
    const bearish = state[LEG_BEARISH_FILL] / state[LEG_CLOSE];
    const isUp = bullish >= terms[2];
    const isDown = bearish >= terms[2];
    if (!isUp && !isDown) return;
    state[FVG_AT + SIGNAL_WAY] = isUp ? (isDown ? BOTH_WAYS : 1) : -1;
    state[FVG_AT + SIGNAL_STRENGTH] = Math.min(1, (isUp ? bullish : bearish) / FULL_GAP);
    state[FVG_AT + SIGNAL_TIME] = state[LEG_TIME];
  }
}

/**
 * What the legs say, by bar, through a `LegWatch` over all bars. Longer bars speak at the bar at which they are known to
 * be over. A bar that fills gaps of both sides says nothing.
 */
export function legSignals(candles: Candles, terms: LegTerms): ReadonlyMap<number, readonly LegSignal[]> {
  const found = new Map<number, readonly LegSignal[]>();
  const { bars, knownAt } = longerBars(candles, terms.groupBars);
  const [value] = columnsOf(mlmi, bars, { neighbours: terms.neighbours });
  const [, slopes] = columnsOf(rationalQuadraticSlope, bars, { period: SLOPE_PERIOD });
  const fills = columnsOf(fairValueGap, candles, {});
  const [bullish, bearish] = [5, 6].map((output) => fills[output]);
  const length = INTERVAL_MS[candles.interval];
  const watch = new LegWatch(terms);
  const { inputs } = watch;
  let longer = 0;
  for (let i = 0; i < candles.time.length; i++) {
    watch.clear();
    inputs[LEG_TIME] = candles.time[i] + length;
    for (; longer < knownAt.length && knownAt[longer] === i; longer++) {
      inputs[LEG_MLMI] = value[longer];
      inputs[LEG_SLOPE] = slopes[longer];
      watch.takeLonger();
    }
    inputs[LEG_BULLISH_FILL] = bullish[i];
    inputs[LEG_BEARISH_FILL] = bearish[i];
    inputs[LEG_CLOSE] = candles.close[i];
    watch.takeShorter();
    const signals = LEGS.flatMap((leg, k) => signalOf(leg, watch.signals, SIGNAL_SIZE * k));
    if (signals.length > 0) found.set(i, signals);
  }
  return found;
}

function signalOf(leg: Leg, signals: Float64Array, at: number): LegSignal[] {
  const way = signals[at + SIGNAL_WAY];
  if (way !== 1 && way !== -1) return [];
  return [{ leg, way, strength: signals[at + SIGNAL_STRENGTH], time: signals[at + SIGNAL_TIME] }];
}

function presetsOf(indicator: Indicator, given: Readonly<Record<string, number>>) {
  const { values, problem } = resolveParameters(indicator, given);
  return ensure(values, problem ?? indicator.name);
}

function columnsOf(indicator: Indicator, bars: Bars, given: Readonly<Record<string, number>>) {
  return computeIndicator(indicator, bars, presetsOf(indicator, given));
}
