import { assert } from "../base/assert.js";
import { type BarColumns, BarTable } from "../ticks/bar-columns.js";
import { DECISION_RULES, type DecisionRule } from "./decision.js";
import {
  FOUND_BEGUN_TIME,
  FOUND_QUALITY,
  FOUND_TIME,
  FOUND_WAY,
  LEGS,
  type Leg,
  SEQUENCE_ORDER,
  SEQUENCE_STRENGTHS,
  SYNERGY_TYPES,
  type SynergyType,
} from "./sequence.js";

/** A leg as it was taken. */
export interface FoundLeg {
  readonly leg: Leg;
  /** 0 to 1. */
  readonly strength: number;
  /** MLMI, the slope of NW-RQK in average true ranges a bar, or the size of the filled gap over the close. */
  readonly value: number;
  /** Close of the bar that made it known, epoch ms. */
  readonly knownAt: number;
}

/** A synergy with what the rule made of it. */
export interface FoundSynergy {
  /** Index of the symbol. */
  readonly symbol: number;
  readonly type: SynergyType;
  readonly way: 1 | -1;
  /** Closes of the bars that made the first leg known and the last, epoch ms. */
  readonly begunAt: number;
  readonly knownAt: number;
  readonly quality: number;
  /** In the order in which they came. */
  readonly legs: readonly FoundLeg[];
  /** First rule that refused; null to act. */
  readonly refusedBy: DecisionRule | null;
  /** What the decision read and wrote, as `DECISION_INPUTS` and `DECISION_OUTPUTS`. */
  readonly inputs: Float64Array;
  readonly outputs: Float64Array;
}

const CAPACITY = 4_096;
/** Bars of one tick at most: two of each interval that can be made. */
const MOST_AT_ONCE = 64;

/** What an engine has found since `clear`: closed bars as columns, and synergies. */
export class Findings extends BarTable {
  declare readonly synergies: FoundSynergy[];
  declare bars: number;

  constructor() {
    super(CAPACITY);
    this.synergies = [];
    this.bars = 0;
  }

  /** Whether it has to be cleared before more ticks are taken. */
  get isFull(): boolean {
    return this.bars > CAPACITY - MOST_AT_ONCE;
  }

  clear(): void {
    this.bars = 0;
    this.synergies.length = 0;
  }

  /** @throws AssertionError where it was full and was not cleared. */
  addBar(closed: BarColumns, place: number): void {
    const at = this.bars++;
    assert(at < CAPACITY, "what was found is not read");
    this.write(at, closed, place);
  }

  /**
   * Adds what a watch has just found.
   * @param found the state of the watch.
   * @param legs by leg, when it was taken last and by which value.
   * @param refusal place of the rule that refused, from 1; 0 to act.
   */
  addSynergy(
    symbol: number,
    type: number,
    found: Float64Array,
    legs: Float64Array,
    refusal: number,
    inputs: Float64Array,
    outputs: Float64Array,
  ): void {
    this.synergies.push({
      symbol,
      type: SYNERGY_TYPES[type - 1],
      way: found[FOUND_WAY] > 0 ? 1 : -1,
      begunAt: found[FOUND_BEGUN_TIME],
      knownAt: found[FOUND_TIME],
      quality: found[FOUND_QUALITY],
      legs: LEGS.map((_, k) => {
        const leg = found[SEQUENCE_ORDER + k];
        return {
          leg: LEGS[leg],
          strength: found[SEQUENCE_STRENGTHS + k],
          value: legs[2 * leg + 1],
          knownAt: legs[2 * leg],
        };
      }),
      refusedBy: refusal === 0 ? null : DECISION_RULES[refusal - 1].name,
      inputs: inputs.slice(),
      outputs: outputs.slice(),
    });
  }
}
