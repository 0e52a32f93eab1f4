/** What takes part in a synergy, in the order in which signals of one instant are taken. */
export const LEGS = ["mlmi", "nwrqk", "fvg"] as const;
export type Leg = (typeof LEGS)[number];

/** Orders that are synergies, by type. None begins with a gap. */
export const SEQUENCES = Object.freeze({
  type_1: ["mlmi", "nwrqk", "fvg"],
  type_2: ["mlmi", "fvg", "nwrqk"],
  type_3: ["nwrqk", "fvg", "mlmi"],
  type_4: ["nwrqk", "mlmi", "fvg"],
} as const satisfies Readonly<Record<string, readonly Leg[]>>);
export type SynergyType = keyof typeof SEQUENCES;

/** Name that a synergy is a detection by. */
export const SYNERGY_PREFIX = "synergy_";
export const patternOfSynergy = (type: string) => `${SYNERGY_PREFIX}${type}`;
export const SYNERGY_TYPES = Object.freeze(["type_1", "type_2", "type_3", "type_4"] as const);

/** One leg's word at a bar: given once, where it begins. */
export interface LegSignal {
  readonly leg: Leg;
  readonly way: 1 | -1;
  /** 0 to 1. */
  readonly strength: number;
  /** Epoch ms at which the bar closed that made it known. */
  readonly time: number;
}

/** All legs one way, in an order that counts. */
export interface Synergy {
  readonly type: SynergyType;
  readonly way: 1 | -1;
  /** Slots of the first leg and of the last. */
  readonly begun: number;
  readonly bar: number;
  /** Their event times, epoch ms. */
  readonly begunTime: number;
  readonly time: number;
  /**
   * 0 to 1: 0.6 times the mean strength, 0.3 for all at one bar and less for a slow one, 0.1 times the coherence, which
   * is 1 less what the strongest leg has over the weakest.
   */
  readonly quality: number;
}

export interface SequenceTerms {
  /** Slots from the first leg within which the last must come. */
  readonly windowBars: number;
  /** Slots after a synergy in which no leg counts. */
  readonly cooldownBars: number;
}

/** Why a leg counts for nothing, or what it ends, in the order in which it is asked. */
export const REFUSALS = [
  /** The leg says both ways at once. */
  "conflict",
  /** It comes too soon after a synergy. */
  "cooling_down",
  /** What was under way has waited too long, and is given up. */
  "expired",
  /** It is of the other direction than what was under way, which is given up. */
  "opposite",
  /** It is a gap, with which nothing begins. */
  "started_with_fvg",
  /** It is there already. */
  "repeated",
] as const;
export type Refusal = (typeof REFUSALS)[number];

const CONFLICT = 1;
const COOLING_DOWN = 2;
const EXPIRED = 4;
const OPPOSITE = 8;
const STARTED_WITH_FVG = 16;
const REPEATED = 32;
/** Of a leg that was not taken. */
export const PASSED_OVER = CONFLICT | COOLING_DOWN | STARTED_WITH_FVG | REPEATED;

/** A refusal; of no leg where what was under way has expired. */
export interface LegRefusal {
  readonly leg: Leg | null;
  readonly refusal: Refusal;
}

/** Signals of one slot as doubles: by leg its way (0 says nothing), its strength and its event time. */
export const SIGNAL_WAY = 0;
export const SIGNAL_STRENGTH = 1;
export const SIGNAL_TIME = 2;
export const SIGNAL_SIZE = 3;
/** The way of a leg that says both. */
export const BOTH_WAYS = 2;
const FVG = LEGS.indexOf("fvg");

/** What was found last, in the state of a watch: its way, slots and event times of its first leg and its last, its quality. */
export const FOUND_WAY = 0;
export const FOUND_BEGUN = 1;
export const FOUND_SLOT = 2;
export const FOUND_BEGUN_TIME = 3;
export const FOUND_TIME = 4;
export const FOUND_QUALITY = 5;
/** What is under way: how many legs, their way, the slot and the event time of the first; the slot until which it rests. */
const TAKEN = 6;
const WAY = 7;
const BEGUN = 8;
const BEGUN_TIME = 9;
const RESTS_UNTIL = 10;
/** The legs that are taken, in their order, and how strong they are. */
export const SEQUENCE_ORDER = 11;
export const SEQUENCE_STRENGTHS = 14;
/** How often each refusal was told since the first slot. */
export const REFUSAL_COUNTS = 17;
const STATE_SIZE = REFUSAL_COUNTS + REFUSALS.length;

/** Number of the type, from 1, by three times the first leg and the second. */
const TYPE_OF = new Uint8Array(LEGS.length * LEGS.length);
for (const [k, type] of SYNERGY_TYPES.entries()) {
  const [first, second] = SEQUENCES[type].map((leg) => LEGS.indexOf(leg));
  TYPE_OF[LEGS.length * first + second] = k + 1;
}

/**
 * Watches one symbol for synergies, allocating nothing. A leg that is there already is passed over while its direction
 * is that of the others; one of the other direction, or one that comes too late, begins anew, which a gap cannot.
 *
 * Slots count bars of the base interval that the market was open for, whether they came or not.
 */
export class SequenceWatch {
  /** All there is to save: a copy that is set back goes on as this one would have. */
  declare readonly state: Float64Array;
  /** Bits of `REFUSALS` at the last slot, by leg; the last of what was under way. */
  declare readonly outcomes: Uint8Array;
  declare private readonly window: number;
  declare private readonly cooldown: number;

  constructor({ windowBars, cooldownBars }: SequenceTerms) {
    this.state = new Float64Array(STATE_SIZE);
    this.state[RESTS_UNTIL] = Number.NEGATIVE_INFINITY;
    this.outcomes = new Uint8Array(LEGS.length + 1);
    this.window = windowBars;
    this.cooldown = cooldownBars;
  }

  /**
   * What the signals of a slot complete: the number of its type from 1 on, 0 for nothing; the rest of it is in `state`.
   * Slots ascend; those without signals need not be told.
   * @param signals by leg, as `SIGNAL_WAY` and those after it say: taken by event time, and in the order of legs where
   * that is the same.
   */
  take(slot: number, signals: Float64Array): number {
    const { state, outcomes } = this;
    outcomes[0] = outcomes[1] = outcomes[2] = outcomes[3] = 0;
    if (state[TAKEN] > 0 && slot - state[BEGUN] > this.window) {
      state[TAKEN] = 0;
      this.refuse(LEGS.length, EXPIRED, 2);
    }
    let found = 0;
    let done = 0;
    for (let taken = 0; taken < LEGS.length; taken++) {
      let next = -1;
      for (let leg = 0; leg < LEGS.length; leg++) {
        if ((done & (1 << leg)) !== 0 || signals[SIGNAL_SIZE * leg] === 0) continue;
        if (
          next < 0 ||
          signals[SIGNAL_SIZE * leg + SIGNAL_TIME] < signals[SIGNAL_SIZE * next + SIGNAL_TIME]
        ) {
          next = leg;
        }
      }
      if (next < 0) break;
      done |= 1 << next;
      const type = this.takeOne(slot, next, signals);
      if (type > 0) found = type;
    }
    return found;
  }

  /** What was refused at the last slot, in words. */
  refusals(): LegRefusal[] {
    return Array.from(this.outcomes, (bits, k) =>
      REFUSALS.filter((_, place) => (bits & (1 << place)) !== 0).map((refusal) => ({
        leg: k < LEGS.length ? LEGS[k] : null,
        refusal,
      })),
    ).flat();
  }

  private takeOne(slot: number, leg: number, signals: Float64Array): number {
    const { state } = this;
    const at = SIGNAL_SIZE * leg;
    if (signals[at] === BOTH_WAYS) return this.refuse(leg, CONFLICT, 0);
    if (slot <= state[RESTS_UNTIL]) return this.refuse(leg, COOLING_DOWN, 1);
    if (state[TAKEN] > 0 && state[WAY] !== signals[at]) {
      state[TAKEN] = 0;
      this.refuse(leg, OPPOSITE, 3);
    }
    const taken = state[TAKEN] | 0;
    if (taken === 0) {
      if (leg === FVG) return this.refuse(leg, STARTED_WITH_FVG, 4);
      state[WAY] = signals[at];
      state[BEGUN] = slot;
      state[BEGUN_TIME] = signals[at + SIGNAL_TIME];
    }
    for (let k = 0; k < taken; k++) {
      if (state[SEQUENCE_ORDER + k] === leg) return this.refuse(leg, REPEATED, 5);
    }
    state[SEQUENCE_ORDER + taken] = leg;
    state[SEQUENCE_STRENGTHS + taken] = signals[at + SIGNAL_STRENGTH];
    state[TAKEN] = taken + 1;
    if (taken + 1 < LEGS.length) return 0;
    state[FOUND_TIME] = signals[at + SIGNAL_TIME];
    return this.complete(slot);
  }

  private complete(slot: number): number {
    const { state } = this;
    state[FOUND_WAY] = state[WAY];
    state[FOUND_BEGUN] = state[BEGUN];
    state[FOUND_SLOT] = slot;
    state[FOUND_BEGUN_TIME] = state[BEGUN_TIME];
    const first = state[SEQUENCE_STRENGTHS];
    const second = state[SEQUENCE_STRENGTHS + 1];
    const third = state[SEQUENCE_STRENGTHS + 2];
    const quickness = this.window > 0 ? 1 - (slot - state[BEGUN]) / this.window : 1;
    const coherence = 1 - (Math.max(first, second, third) - Math.min(first, second, third));
    state[FOUND_QUALITY] = 0.6 * ((first + second + third) / LEGS.length) + 0.3 * quickness + 0.1 * coherence;
    state[TAKEN] = 0;
    state[RESTS_UNTIL] = slot + this.cooldown;
    return TYPE_OF[LEGS.length * (state[SEQUENCE_ORDER] | 0) + (state[SEQUENCE_ORDER + 1] | 0)];
  }

  private refuse(leg: number, bit: number, place: number): number {
    this.outcomes[leg] |= bit;
    this.state[REFUSAL_COUNTS + place]++;
    return 0;
  }
}

/** Watches for synergies in words. */
export interface SynergyWatch {
  /** What the signals of a bar complete, or null. Bars ascend; those without signals need not be told. */
  take(bar: number, signals: readonly LegSignal[]): Synergy | null;
  /** What was refused at the last bar. */
  refusals(): readonly LegRefusal[];
}

/** A `SequenceWatch` that takes signals as objects, one of a leg at a bar, and tells synergies as such. */
export function watchSequences(terms: SequenceTerms): SynergyWatch {
  const watch = new SequenceWatch(terms);
  const told = new Float64Array(SIGNAL_SIZE * LEGS.length);
  return {
    take(bar, signals) {
      told.fill(0);
      for (const { leg, way, strength, time } of signals) {
        told.set([way, strength, time], SIGNAL_SIZE * LEGS.indexOf(leg));
      }
      const type = watch.take(bar, told);
      return type === 0 ? null : synergyOf(watch.state, type);
    },
    refusals: () => watch.refusals(),
  };
}

/** The synergy that a watch has just found. @param type what `take` answered, not 0. */
export function synergyOf(state: Float64Array, type: number): Synergy {
  return {
    type: SYNERGY_TYPES[type - 1],
    way: state[FOUND_WAY] > 0 ? 1 : -1,
    begun: state[FOUND_BEGUN],
    bar: state[FOUND_SLOT],
    begunTime: state[FOUND_BEGUN_TIME],
    time: state[FOUND_TIME],
    quality: state[FOUND_QUALITY],
  };
}
