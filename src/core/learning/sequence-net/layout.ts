import { assert } from "../../base/assert.js";
import type { Rng } from "../../base/rng.js";

/** How large a net is: two convolutions with pooling by twos, an LSTM over what is left of the bars, one dense layer. */
export interface NetSize {
  /** Bars of a window, and columns of a bar. */
  readonly bars: number;
  readonly columns: number;
  /** Filters of both convolutions, and the steps that each spans. */
  readonly filters: readonly [number, number];
  readonly spans: readonly [number, number];
  /** Cells of the LSTM. */
  readonly cells: number;
  readonly classes: number;
}

/** A group of parameters: `rows` vectors of `width` values from `at` on. */
export interface Slice {
  readonly at: number;
  readonly rows: number;
  readonly width: number;
}

export const PARAMETER_GROUPS = [
  "firstFilters",
  "firstBias",
  "secondFilters",
  "secondBias",
  "inputWeights",
  "cellWeights",
  "cellBias",
  "denseWeights",
  "denseBias",
] as const;
export type ParameterGroup = (typeof PARAMETER_GROUPS)[number];

/** Where the parameters of a net lie in one column, and how many steps each layer has. */
export interface Layout {
  readonly slices: Readonly<Record<ParameterGroup, Slice>>;
  readonly length: number;
  /** Steps out of each convolution, and of both after pooling; the LSTM runs over `secondPooled`. */
  readonly firstSteps: number;
  readonly firstPooled: number;
  readonly secondSteps: number;
  readonly secondPooled: number;
}

/** Gates of the LSTM lie in the order input, forget, candidate, output, each `cells` wide. */
export function layoutOf(size: NetSize): Layout {
  const { bars, columns, filters, spans, cells, classes } = size;
  const firstSteps = bars - spans[0] + 1;
  const firstPooled = firstSteps >> 1;
  const secondSteps = firstPooled - spans[1] + 1;
  const secondPooled = secondSteps >> 1;
  assert(secondPooled >= 1, "the window is longer than what the convolutions span");
  assert(columns >= 1 && cells >= 1 && classes >= 2, "a net has columns, cells and classes");
  const shapes: Readonly<Record<ParameterGroup, readonly [number, number]>> = {
    firstFilters: [filters[0], spans[0] * columns],
    firstBias: [1, filters[0]],
    secondFilters: [filters[1], spans[1] * filters[0]],
    secondBias: [1, filters[1]],
    inputWeights: [4 * cells, filters[1]],
    cellWeights: [4 * cells, cells],
    cellBias: [1, 4 * cells],
    denseWeights: [classes, cells],
    denseBias: [1, classes],
  };
  let length = 0;
  const place = (group: ParameterGroup): Slice => {
    const [rows, width] = shapes[group];
    const at = length;
    length += rows * width;
    return { at, rows, width };
  };
  const slices: Record<ParameterGroup, Slice> = {
    firstFilters: place("firstFilters"),
    firstBias: place("firstBias"),
    secondFilters: place("secondFilters"),
    secondBias: place("secondBias"),
    inputWeights: place("inputWeights"),
    cellWeights: place("cellWeights"),
    cellBias: place("cellBias"),
    denseWeights: place("denseWeights"),
    denseBias: place("denseBias"),
  };
  return { slices, length, firstSteps, firstPooled, secondSteps, secondPooled };
}

/**
 * Parameters to begin with: normal variates by K. He et al. (2015) before rectifiers, by X. Glorot and Y. Bengio (2010)
 * elsewhere; forget gates begin open (R. Jozefowicz et al. 2015).
 */
export function initialValues(size: NetSize, rng: Rng): Float64Array {
  const { slices, length } = layoutOf(size);
  const values = new Float64Array(length);
  const draw = ({ at, rows, width }: Slice, deviation: number) => {
    for (let i = at; i < at + rows * width; i++) values[i] = deviation * rng.normal();
  };
  draw(slices.firstFilters, Math.sqrt(2 / slices.firstFilters.width));
  draw(slices.secondFilters, Math.sqrt(2 / slices.secondFilters.width));
  draw(slices.inputWeights, Math.sqrt(2 / (size.filters[1] + size.cells)));
  draw(slices.cellWeights, Math.sqrt(1 / size.cells));
  draw(slices.denseWeights, Math.sqrt(2 / (size.cells + size.classes)));
  const forget = slices.cellBias.at + size.cells;
  values.fill(1, forget, forget + size.cells);
  return values;
}
