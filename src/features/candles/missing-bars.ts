/** Bars one after another that should exist and do not, for one reason. */
export interface MissingBars<Why> {
  /** Opens of the first and the last. */
  readonly first: number;
  readonly last: number;
  readonly bars: number;
  /** Of the first. */
  readonly why: Why;
}

/**
 * Runs of expected opens that are not among the stored ones; both ascend.
 * @param whyAt why the bar of an open is missing; another reason begins another run.
 */
export function missingBars<Why extends { readonly reason: string }>(
  expected: Float64Array,
  stored: Float64Array,
  whyAt: (open: number) => Why,
): MissingBars<Why>[] {
  const runs: { first: number; last: number; bars: number; why: Why }[] = [];
  let at = 0;
  let follows = false;
  for (const open of expected) {
    while (at < stored.length && stored[at] < open) at++;
    if (stored[at] === open) {
      follows = false;
      continue;
    }
    const why = whyAt(open);
    const run = runs.at(-1);
    if (follows && run !== undefined && run.why.reason === why.reason) {
      run.last = open;
      run.bars++;
    } else runs.push({ first: open, last: open, bars: 1, why });
    follows = true;
  }
  return runs;
}
