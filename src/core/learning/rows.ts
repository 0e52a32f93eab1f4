import { assert } from "../base/assert.js";
import type { Samples } from "./define.js";
import type { LabelledSamples, SampleFacts } from "./samples.js";

/**
 * What is wrong with samples, in words; null where all columns have one length, rows are in the order of time, labels are 0
 * or 1 and settled after they were decided, and weights are above 0.
 */
export function samplesProblem({
  names,
  columns,
  labels,
  decidedAt,
  settledAt,
  weights,
}: Samples): string | null {
  const { length } = labels;
  if (names.length !== columns.length || new Set(names).size !== names.length)
    return "a column has no name of its own";
  for (const column of [...columns, decidedAt, settledAt, weights ?? labels]) {
    if (column.length !== length) return "columns differ in length";
  }
  for (let i = 0; i < length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) return `row ${i} has the label ${labels[i]}`;
    if (!Number.isFinite(decidedAt[i]) || !Number.isFinite(settledAt[i])) return `row ${i} has no time`;
    if (i > 0 && decidedAt[i] < decidedAt[i - 1]) return `row ${i} was decided before row ${i - 1}`;
    if (settledAt[i] <= decidedAt[i]) return `row ${i} was settled before it was decided`;
    const weight = weights === undefined ? 1 : weights[i];
    if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) return `row ${i} has the weight ${weight}`;
  }
  return null;
}

/** The rows of these indexes, in their order, copied. */
export function pickSamples(samples: Samples, rows: Int32Array | readonly number[]): Samples {
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]);
  const { names, columns, labels, decidedAt, settledAt, weights } = samples;
  return {
    names,
    columns: columns.map(pick),
    labels: pick(labels),
    decidedAt: pick(decidedAt),
    settledAt: pick(settledAt),
    ...(weights === undefined ? {} : { weights: pick(weights) }),
  };
}

/** `pickSamples` with the facts of the rows. */
export function pickLabelled(
  { samples, facts }: LabelledSamples,
  rows: Int32Array | readonly number[],
): LabelledSamples {
  return { samples: pickSamples(samples, rows), facts: Array.from(rows, (row) => facts[row]) };
}

/**
 * Samples of several series as one, in the order of time; rows of one moment in the order of the parts. Weights stay those
 * of each series; where a part has none its rows count 1.
 * @throws AssertionError where the parts do not have the same columns.
 */
export function mergeSamples(parts: readonly LabelledSamples[]): LabelledSamples {
  const names = parts[0]?.samples.names ?? [];
  for (const { samples, facts } of parts) {
    assert(
      samples.names.length === names.length && samples.names.every((name, k) => name === names[k]),
      "samples that are merged have the same columns",
    );
    assert(facts.length === samples.labels.length, "facts for each row");
  }
  const places = parts.flatMap(({ samples }, part) =>
    Array.from(samples.decidedAt, (decidedAt, row) => ({ decidedAt, part, row })),
  );
  places.sort((a, b) => a.decidedAt - b.decidedAt);
  const gather = (columnOf: (samples: Samples) => Float64Array) => {
    const columns = parts.map(({ samples }) => columnOf(samples));
    return Float64Array.from(places, ({ part, row }) => columns[part][row]);
  };
  const weighted = parts.some(({ samples }) => samples.weights !== undefined);
  const ones = (samples: Samples) => samples.weights ?? new Float64Array(samples.labels.length).fill(1);
  return {
    samples: {
      names,
      columns: names.map((_, k) => gather(({ columns }) => columns[k])),
      labels: gather(({ labels }) => labels),
      decidedAt: gather(({ decidedAt }) => decidedAt),
      settledAt: gather(({ settledAt }) => settledAt),
      ...(weighted ? { weights: gather(ones) } : {}),
    },
    facts: places.map(({ part, row }): SampleFacts => parts[part].facts[row]),
  };
}
