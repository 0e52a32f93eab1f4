import { assert } from "../../base/assert.js";
import { type Layout, layoutOf, type NetSize } from "./layout.js";
import { type Matrix, matrix, multiplyAdd, repeatRow } from "./matrix.js";

/**
 * A net at work: its parameters, and room for a batch of windows and for all that lies between them and their logits,
 * allocated once. Every column is by window, then step, then value.
 */
export interface Pass {
  readonly size: NetSize;
  readonly layout: Layout;
  /** Parameters, as `layoutOf` lays them out. Whoever trains changes them in place. */
  readonly values: Float64Array;
  /** Windows that there is room for. */
  readonly batch: number;
  /** By window, bar and column; filled by the caller. */
  readonly input: Float64Array;
  readonly firstOut: Float64Array;
  readonly firstPool: Float64Array;
  readonly secondOut: Float64Array;
  readonly secondPool: Float64Array;
  /** Gates after their activation, states of the cells, their hyperbolic tangents, and outputs. */
  readonly gates: Float64Array;
  readonly states: Float64Array;
  readonly tangents: Float64Array;
  readonly outputs: Float64Array;
  /** Factors of the last outputs: 1, or in training what dropout makes of them. */
  readonly mask: Float64Array;
  readonly last: Float64Array;
  readonly logits: Float64Array;
  readonly matrices: PassMatrices;
}

/** The columns of a pass and its weights as matrices. */
export interface PassMatrices {
  readonly input: Matrix;
  readonly firstOut: Matrix;
  readonly firstPool: Matrix;
  readonly secondOut: Matrix;
  readonly secondPool: Matrix;
  readonly gates: Matrix;
  /** Gates, and outputs, of one step: a row for each window. */
  readonly stepGates: Matrix;
  readonly outputs: Matrix;
  readonly stepOutputs: Matrix;
  readonly last: Matrix;
  readonly logits: Matrix;
  readonly firstFilters: Matrix;
  readonly secondFilters: Matrix;
  readonly inputWeights: Matrix;
  readonly cellWeights: Matrix;
  readonly denseWeights: Matrix;
}

export function createPass(size: NetSize, values: Float64Array, batch: number): Pass {
  const layout = layoutOf(size);
  assert(values.length === layout.length, `${values.length} parameters of ${layout.length}`);
  const { filters, cells, classes } = size;
  const room = (steps: number, width: number) => new Float64Array(batch * steps * width);
  const columns = {
    input: room(size.bars, size.columns),
    firstOut: room(layout.firstSteps, filters[0]),
    firstPool: room(layout.firstPooled, filters[0]),
    secondOut: room(layout.secondSteps, filters[1]),
    secondPool: room(layout.secondPooled, filters[1]),
    gates: room(layout.secondPooled, 4 * cells),
    states: room(layout.secondPooled, cells),
    tangents: room(layout.secondPooled, cells),
    outputs: room(layout.secondPooled, cells),
    mask: room(1, cells).fill(1),
    last: room(1, cells),
    logits: room(1, classes),
  };
  const matrices: PassMatrices = {
    input: matrix(columns.input, size.columns),
    firstOut: matrix(columns.firstOut, filters[0]),
    firstPool: matrix(columns.firstPool, filters[0]),
    secondOut: matrix(columns.secondOut, filters[1]),
    secondPool: matrix(columns.secondPool, filters[1]),
    gates: matrix(columns.gates, 4 * cells),
    stepGates: matrix(columns.gates, layout.secondPooled * 4 * cells),
    outputs: matrix(columns.outputs, cells),
    stepOutputs: matrix(columns.outputs, layout.secondPooled * cells),
    last: matrix(columns.last, cells),
    logits: matrix(columns.logits, classes),
    ...weightMatrices(layout, values),
  };
  return { size, layout, values, batch, matrices, ...columns };
}

type WeightName = "firstFilters" | "secondFilters" | "inputWeights" | "cellWeights" | "denseWeights";

/** Matrices of weights over parameters, or over a gradient that lies as they do. */
export function weightMatrices({ slices }: Layout, values: Float64Array): Record<WeightName, Matrix> {
  const of = (name: WeightName) => matrix(values, slices[name].width, slices[name].at);
  return {
    firstFilters: of("firstFilters"),
    secondFilters: of("secondFilters"),
    inputWeights: of("inputWeights"),
    cellWeights: of("cellWeights"),
    denseWeights: of("denseWeights"),
  };
}

/** Computes the logits of the first `count` windows of a pass. */
export function forward(pass: Pass, count: number): void {
  assert(count >= 1 && count <= pass.batch, `${count} windows in a pass of ${pass.batch}`);
  const { size, layout, matrices: m, values, last, mask, outputs } = pass;
  const { slices, firstSteps, firstPooled, secondSteps, secondPooled } = layout;
  const { bars, columns, cells, classes } = size;
  const [one, two] = size.filters;
  const firstDepth = slices.firstFilters.width;
  const secondDepth = slices.secondFilters.width;
  repeatRow(pass.firstOut, values, slices.firstBias.at, count * firstSteps, one);
  repeatRow(pass.secondOut, values, slices.secondBias.at, count * secondSteps, two);
  for (let b = 0; b < count; b++) {
    const out = b * firstSteps * one;
    multiplyAdd(m.firstOut, out, m.input, b * bars * columns, m.firstFilters, 0, firstSteps, one, firstDepth);
  }
  pool(pass.firstOut, pass.firstPool, count, firstSteps, firstPooled, one);
  for (let b = 0; b < count; b++) {
    const out = b * secondSteps * two;
    const pooled = b * firstPooled * one;
    multiplyAdd(m.secondOut, out, m.firstPool, pooled, m.secondFilters, 0, secondSteps, two, secondDepth);
  }
  pool(pass.secondOut, pass.secondPool, count, secondSteps, secondPooled, two);
  runCells(pass, count);
  for (let b = 0; b < count; b++) {
    const from = (b * secondPooled + secondPooled - 1) * cells;
    for (let u = 0; u < cells; u++) last[b * cells + u] = mask[b * cells + u] * outputs[from + u];
  }
  repeatRow(pass.logits, values, slices.denseBias.at, count, classes);
  multiplyAdd(m.logits, 0, m.last, 0, m.denseWeights, 0, count, classes, cells);
}

/** The higher of two steps, 0 where both are below: rectifier and pooling in one. Of an odd count the oldest is left out. */
function pool(
  from: Float64Array,
  into: Float64Array,
  count: number,
  steps: number,
  pooled: number,
  width: number,
): void {
  const skipped = (steps & 1) * width;
  for (let b = 0; b < count; b++) {
    for (let s = 0; s < pooled; s++) {
      const left = b * steps * width + skipped + 2 * s * width;
      const to = (b * pooled + s) * width;
      for (let f = 0; f < width; f++) {
        const x = from[left + f];
        const y = from[left + width + f];
        const higher = x > y ? x : y;
        into[to + f] = higher > 0 ? higher : 0;
      }
    }
  }
}

/** Runs the LSTM (S. Hochreiter and J. Schmidhuber 1997, with the forget gate of F. Gers et al. 2000) over all steps. */
function runCells(pass: Pass, count: number): void {
  const { layout, matrices: m, values } = pass;
  const { slices, secondPooled: steps } = layout;
  const { cells, filters } = pass.size;
  const width = 4 * cells;
  repeatRow(pass.gates, values, slices.cellBias.at, count * steps, width);
  multiplyAdd(m.gates, 0, m.secondPool, 0, m.inputWeights, 0, count * steps, width, filters[1]);
  for (let t = 0; t < steps; t++) {
    if (t > 0) {
      const before = (t - 1) * cells;
      multiplyAdd(m.stepGates, t * width, m.stepOutputs, before, m.cellWeights, 0, count, width, cells);
    }
    for (let b = 0; b < count; b++) activate(pass, b * steps + t, t > 0);
  }
}

/** Gates, state and output of one window at one step, from the sums in its gates. */
function activate({ size, gates, states, tangents, outputs }: Pass, row: number, hasPast: boolean): void {
  const { cells } = size;
  const at = row * 4 * cells;
  const to = row * cells;
  for (let u = 0; u < cells; u++) {
    const input = 1 / (1 + Math.exp(-gates[at + u]));
    const forget = 1 / (1 + Math.exp(-gates[at + cells + u]));
    const candidate = Math.tanh(gates[at + 2 * cells + u]);
    const output = 1 / (1 + Math.exp(-gates[at + 3 * cells + u]));
    const past = hasPast ? forget * states[to - cells + u] : 0;
    const state = past + input * candidate;
    const tangent = Math.tanh(state);
    gates[at + u] = input;
    gates[at + cells + u] = forget;
    gates[at + 2 * cells + u] = candidate;
    gates[at + 3 * cells + u] = output;
    states[to + u] = state;
    tangents[to + u] = tangent;
    outputs[to + u] = output * tangent;
  }
}
