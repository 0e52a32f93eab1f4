/** What takes part in a synergy, in the order in which signals of one bar are taken. */
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
export const SYNERGY_TYPES = Object.freeze(["type_1", "type_2", "type_3", "type_4"] as const);

/** One leg's word at a bar: given once, where it begins. */
export interface LegSignal {
  readonly leg: Leg;
  readonly way: 1 | -1;
  /** 0 to 1. */
  readonly strength: number;
}

/** All legs one way, in an order that counts. */
export interface Synergy {
  readonly type: SynergyType;
  readonly way: 1 | -1;
  /** Bars of the first leg and of the last. */
  readonly begun: number;
  readonly bar: number;
  /** 0 to 1: 0.6 times the mean strength, 0.3 for all at one bar and less for a slow one, 0.1 for one direction. */
  readonly quality: number;
}

export interface SequenceTerms {
  /** Bars from the first leg within which the last must come. */
  readonly windowBars: number;
  /** Bars after a synergy in which no leg counts. */
  readonly cooldownBars: number;
}

export interface SequenceWatch {
  /** What the signals of a bar complete, or null. Bars ascend; those without signals need not be told. */
  take(bar: number, signals: readonly LegSignal[]): Synergy | null;
}

/**
 * Watches for synergies. A leg that is there already is passed over while its direction is that of the others; one of
 * the other direction, or one that comes too late, begins anew, which a gap cannot.
 */
export function watchSequences({ windowBars, cooldownBars }: SequenceTerms): SequenceWatch {
  let taken: LegSignal[] = [];
  let begun = 0;
  let restsUntil = Number.NEGATIVE_INFINITY;

  function takeOne(bar: number, signal: LegSignal): Synergy | null {
    if (bar <= restsUntil) return null;
    if (taken.length > 0 && (bar - begun > windowBars || taken[0].way !== signal.way)) taken = [];
    if (taken.length === 0) {
      if (signal.leg === "fvg") return null;
      begun = bar;
    }
    if (taken.some(({ leg }) => leg === signal.leg)) return null;
    taken.push(signal);
    if (taken.length < LEGS.length) return null;
    const found = synergyOf(taken, begun, bar, windowBars);
    taken = [];
    restsUntil = bar + cooldownBars;
    return found;
  }

  return {
    take(bar, signals) {
      const ordered = signals.toSorted((a, b) => LEGS.indexOf(a.leg) - LEGS.indexOf(b.leg));
      let found: Synergy | null = null;
      for (const signal of ordered) found = takeOne(bar, signal) ?? found;
      return found;
    },
  };
}

function synergyOf(
  taken: readonly LegSignal[],
  begun: number,
  bar: number,
  windowBars: number,
): Synergy | null {
  const type = SYNERGY_TYPES.find((each) => SEQUENCES[each].every((leg, k) => leg === taken[k].leg));
  if (type === undefined) return null;
  const strength = taken.reduce((sum, each) => sum + each.strength, 0) / taken.length;
  const quickness = windowBars > 0 ? 1 - (bar - begun) / windowBars : 1;
  return { type, way: taken[0].way, begun, bar, quality: 0.6 * strength + 0.3 * quickness + 0.1 };
}
