import { ensure } from "../src/core/base/assert.js";

/** Timings of one case, in ns per item. Min is the figure to compare; median shows how noisy the run was. */
export interface Timing {
  readonly name: string;
  readonly minNs: number;
  readonly medianNs: number;
}

export interface Case {
  readonly name: string;
  /** Items (bars, ticks) that one call handles. */
  readonly items: number;
  run(): void;
}

/**
 * Times cases in interleaved rounds within this process, so that a slow moment of the machine hits all alike.
 * @param warm runs of each case before the first timed round.
 */
export function timeCases(cases: readonly Case[], rounds = 9, warm = 2): Timing[] {
  for (const { run } of cases) for (let k = 0; k < warm; k++) run();
  const samples = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run, items }] of cases.entries()) {
      const started = process.hrtime.bigint();
      run();
      samples[index].push(Number(process.hrtime.bigint() - started) / items);
    }
  }
  return cases.map(({ name }, index) => {
    return { name, minNs: Math.min(...samples[index]), medianNs: median(samples[index]) };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Fastest and median times over several turns, between which other cases or processes have theirs. */
export class Timings {
  readonly #fastest = new Map<string, number>();
  readonly #medians = new Map<string, number[]>();

  /** @returns whether something was faster than before by more than a hundredth. */
  add(timings: readonly Timing[]): boolean {
    let faster = false;
    for (const { name, minNs, medianNs } of timings) {
      const before = this.#fastest.get(name) ?? Number.POSITIVE_INFINITY;
      this.#fastest.set(name, Math.min(before, minNs));
      this.#medians.set(name, [...(this.#medians.get(name) ?? []), medianNs]);
      faster ||= minNs < 0.99 * before;
    }
    return faster;
  }

  has(name: string): boolean {
    return this.#fastest.has(name);
  }

  fastest(name: string): number {
    return ensure(this.#fastest.get(name), name);
  }

  median(name: string): number {
    return median(ensure(this.#medians.get(name), name));
  }
}

/**
 * At least `least` turns, then more until three in a row make nothing faster, at most `most`: on a machine with
 * other work a fixed number of rounds may miss every quiet moment.
 * @param turn whether the turn made something faster.
 */
export function untilSteady(least: number, most: number, turn: () => boolean): void {
  let idle = 0;
  for (let turns = 0; turns < least || (turns < most && idle < 3); turns++) idle = turn() ? 0 : idle + 1;
}

/** One line of a report: what was measured, against which target. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Text of the target and whether the value meets it; absent for figures that only inform. */
  readonly target?: { readonly text: string; readonly met: boolean };
}

export interface Section {
  /** Which target of bench/README.md it measures, if one. */
  readonly row?: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly figures: readonly Figure[];
}

/** What a `*.bench.ts` file exports as `bench`. */
export interface Bench {
  readonly name: string;
  run(): Promise<readonly Section[]> | readonly Section[];
}
