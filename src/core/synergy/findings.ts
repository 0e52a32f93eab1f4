import { assert } from "../base/assert.js";
import { type BarColumns, BarTable } from "../ticks/bar-columns.js";
import { DECISION_INPUTS, DECISION_OUTPUTS, DECISION_RULES, type DecisionRule } from "./decision.js";
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
import { FACTS } from "./track.js";

/** A leg as it was taken. */
export interface FoundLeg {
  readonly leg: Leg;
  /** 0 to 1. */
  readonly strength: number;
  /** MLMI, the slope of NW-RQK in average true ranges a bar, or the size of the filled gap over the close. */
  readonly value: number;
  /** Close of the bar that made it known, epoch ms. */
  readonly knownAt: number;
  /** Close of that bar, in price, and its open, epoch ms: of half an hour for MLMI and NW-RQK. */
  readonly price: number;
  readonly barTime: number;
}

/** Doubles by leg: when it was known, its value, the price and the open of its bar. */
export const LEG_FIELDS = 4;

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
  /** What was known of the symbol, as `FACT_CLOSE` and those beside it. */
  readonly facts: Float64Array;
}

const CAPACITY = 4_096;
/** Bars of one tick at most: two of each interval that can be made. */
const MOST_AT_ONCE = 64;
const MOST_SYNERGIES = 512;

/** Where things are in the row of a synergy; legs in the order in which they came. */
const SYMBOL = 0;
const TYPE = 1;
const WAY = 2;
const BEGUN = 3;
const KNOWN = 4;
const QUALITY = 5;
/** Place of the rule that refused, from 1; 0 to act. */
const REFUSAL = 6;
const OF_LEGS = 7;
/** The leg, its strength, and what `LEG_FIELDS` says. */
const LEG_SIZE = 2 + LEG_FIELDS;
const INPUTS = OF_LEGS + LEG_SIZE * LEGS.length;
const OUTPUTS = INPUTS + DECISION_INPUTS.length;
const OF_SYMBOL = OUTPUTS + DECISION_OUTPUTS.length;
const SIZE = OF_SYMBOL + FACTS;

/**
 * What an engine has found since `clear`: closed bars and synergies, as columns. Synergies are rare, and objects made by
 * code that hardly ever runs would take several times as long as their decision.
 */
export class Findings extends BarTable {
  declare bars: number;
  /** How many synergies there are. */
  declare found: number;
  declare private readonly rows: Float64Array;

  constructor() {
    super(CAPACITY);
    this.bars = 0;
    this.found = 0;
    this.rows = new Float64Array(SIZE * MOST_SYNERGIES);
  }

  /** Whether it has to be cleared before more ticks are taken. */
  get isFull(): boolean {
    return this.bars > CAPACITY - MOST_AT_ONCE || this.found > MOST_SYNERGIES - MOST_AT_ONCE;
  }

  /** The synergies, made anew at each call. */
  get synergies(): FoundSynergy[] {
    return Array.from({ length: this.found }, (_, k) =>
      synergyOf(this.rows.subarray(SIZE * k, SIZE * (k + 1))),
    );
  }

  clear(): void {
    this.bars = 0;
    this.found = 0;
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
   * @param legs of all symbols, by leg, as `LEG_FIELDS` says, as it was taken last.
   * @param refusal place of the rule that refused, from 1; 0 to act.
   * @throws AssertionError where it was full and was not cleared.
   */
  addSynergy(
    symbol: number,
    type: number,
    found: Float64Array,
    legs: Float64Array,
    refusal: number,
    inputs: Float64Array,
    outputs: Float64Array,
    facts: Float64Array,
  ): void {
    assert(this.found < MOST_SYNERGIES, "what was found is not read");
    const { rows } = this;
    const at = SIZE * this.found++;
    rows[at + SYMBOL] = symbol;
    rows[at + TYPE] = type;
    rows[at + WAY] = found[FOUND_WAY];
    rows[at + BEGUN] = found[FOUND_BEGUN_TIME];
    rows[at + KNOWN] = found[FOUND_TIME];
    rows[at + QUALITY] = found[FOUND_QUALITY];
    rows[at + REFUSAL] = refusal;
    for (let k = 0; k < LEGS.length; k++) {
      const leg = found[SEQUENCE_ORDER + k];
      const place = at + OF_LEGS + LEG_SIZE * k;
      rows[place] = leg;
      rows[place + 1] = found[SEQUENCE_STRENGTHS + k];
      const taken = LEG_FIELDS * (LEGS.length * symbol + leg);
      for (let field = 0; field < LEG_FIELDS; field++) rows[place + 2 + field] = legs[taken + field];
    }
    for (let k = 0; k < inputs.length; k++) rows[at + INPUTS + k] = inputs[k];
    for (let k = 0; k < outputs.length; k++) rows[at + OUTPUTS + k] = outputs[k];
    for (let k = 0; k < FACTS; k++) rows[at + OF_SYMBOL + k] = facts[k];
  }
}

function synergyOf(row: Float64Array): FoundSynergy {
  return {
    symbol: row[SYMBOL],
    type: SYNERGY_TYPES[row[TYPE] - 1],
    way: row[WAY] > 0 ? 1 : -1,
    begunAt: row[BEGUN],
    knownAt: row[KNOWN],
    quality: row[QUALITY],
    legs: LEGS.map((_, k) => {
      const [leg, strength, knownAt, value, price, barTime] = row.subarray(OF_LEGS + LEG_SIZE * k);
      return { leg: LEGS[leg], strength, value, knownAt, price, barTime };
    }),
    refusedBy: row[REFUSAL] === 0 ? null : DECISION_RULES[row[REFUSAL] - 1].name,
    inputs: row.slice(INPUTS, OUTPUTS),
    outputs: row.slice(OUTPUTS, OF_SYMBOL),
    facts: row.slice(OF_SYMBOL),
  };
}
