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
 * Each case is warmed up twice before the first timed round.
 */
export function timeCases(cases: readonly Case[], rounds = 9): Timing[] {
  for (const { run } of cases) {
    run();
    run();
  }
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
