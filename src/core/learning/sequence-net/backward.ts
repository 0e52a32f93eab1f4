import { type Pass, weightMatrices } from "./forward.js";
import { addRows, matrix, multiplyAdd, transposed } from "./matrix.js";

/**
 * Room for the way back through a pass, allocated once: gradients of what the pass holds, in the same places, and of its
 * parameters, to which every call adds.
 */
export interface Descent {
  /** Of the parameters, laid out as they are; cleared by the caller. */
  readonly gradient: Float64Array;
  /** Of the logits; filled by the caller. */
  readonly logits: Float64Array;
  /** Of the windows; filled where it is asked for. */
  readonly input: Float64Array;
  readonly firstOut: Float64Array;
  readonly firstPool: Float64Array;
  readonly secondOut: Float64Array;
  readonly secondPool: Float64Array;
  readonly gates: Float64Array;
  /** Of the outputs and states of the cells at one step, by window. */
  readonly outputs: Float64Array;
  readonly states: Float64Array;
  readonly matrices: ReturnType<typeof descentMatrices>;
}

export function createDescent(pass: Pass): Descent {
  const like = (column: Float64Array) => new Float64Array(column.length);
  const columns = {
    gradient: like(pass.values),
    logits: like(pass.logits),
    input: like(pass.input),
    firstOut: like(pass.firstOut),
    firstPool: like(pass.firstPool),
    secondOut: like(pass.secondOut),
    secondPool: like(pass.secondPool),
    gates: like(pass.gates),
    outputs: like(pass.last),
    states: like(pass.last),
  };
  return { ...columns, matrices: descentMatrices(pass, columns) };
}

type Columns = Omit<Descent, "matrices">;

/** Gradients as matrices; what is named `Across` is a matrix, of the pass or of gradients, with rows as columns. */
function descentMatrices({ size, layout, matrices: own }: Pass, columns: Columns) {
  const { filters, cells, classes } = size;
  const logits = matrix(columns.logits, classes);
  const firstOut = matrix(columns.firstOut, filters[0]);
  const secondOut = matrix(columns.secondOut, filters[1]);
  const gates = matrix(columns.gates, 4 * cells);
  return {
    weights: weightMatrices(layout, columns.gradient),
    logits,
    firstOut,
    secondOut,
    gates,
    stepGates: matrix(columns.gates, layout.secondPooled * 4 * cells),
    outputs: matrix(columns.outputs, cells),
    input: matrix(columns.input, size.columns),
    firstPool: matrix(columns.firstPool, filters[0]),
    secondPool: matrix(columns.secondPool, filters[1]),
    logitsAcross: transposed(logits),
    firstOutAcross: transposed(firstOut),
    secondOutAcross: transposed(secondOut),
    gatesAcross: transposed(gates),
    passInputAcross: transposed(own.input),
    passFirstPoolAcross: transposed(own.firstPool),
    passSecondPoolAcross: transposed(own.secondPool),
    passOutputsAcross: transposed(own.outputs),
    passLastAcross: transposed(own.last),
    firstFiltersAcross: transposed(own.firstFilters),
    secondFiltersAcross: transposed(own.secondFilters),
    inputWeightsAcross: transposed(own.inputWeights),
    cellWeightsAcross: transposed(own.cellWeights),
    denseWeightsAcross: transposed(own.denseWeights),
  };
}

/**
 * Adds to the gradient of the parameters what the gradient of the logits of the first `count` windows makes of it, by
 * back-propagation through time, after `forward` has run over the same windows.
 * @param toInput whether the gradient of the windows is wanted, too.
 */
export function backward(pass: Pass, descent: Descent, count: number, toInput: boolean): void {
  const { size, layout, mask } = pass;
  const { slices } = layout;
  const { cells, classes } = size;
  const { gradient, outputs, matrices: m } = descent;
  addRows(gradient, slices.denseBias.at, descent.logits, count, classes);
  const { denseWeights } = m.weights;
  multiplyAdd(denseWeights, 0, m.logitsAcross, 0, m.passLastAcross, 0, classes, cells, count);
  outputs.fill(0);
  multiplyAdd(m.outputs, 0, m.logits, 0, m.denseWeightsAcross, 0, count, cells, classes);
  for (let i = 0; i < count * cells; i++) outputs[i] *= mask[i];
  descendCells(pass, descent, count);
  descendConvolutions(pass, descent, count, toInput);
}

function descendCells(pass: Pass, descent: Descent, count: number): void {
  const { size, layout } = pass;
  const { slices, secondPooled: steps } = layout;
  const { cells } = size;
  const width = 4 * cells;
  const inputs = size.filters[1];
  const { gradient, outputs, states, secondPool, matrices: m } = descent;
  states.fill(0);
  for (let t = steps - 1; t >= 0; t--) {
    for (let b = 0; b < count; b++) descendStep(pass, descent, b, t);
    if (t === 0) break;
    outputs.fill(0);
    multiplyAdd(m.outputs, 0, m.stepGates, t * width, m.cellWeightsAcross, 0, count, cells, width);
  }
  const { cellWeights, inputWeights } = m.weights;
  for (let b = 0; b < count; b++) {
    const from = (b * steps + 1) * width;
    const before = b * steps * cells;
    multiplyAdd(cellWeights, 0, m.gatesAcross, from, m.passOutputsAcross, before, width, cells, steps - 1);
  }
  const rows = count * steps;
  multiplyAdd(inputWeights, 0, m.gatesAcross, 0, m.passSecondPoolAcross, 0, width, inputs, rows);
  addRows(gradient, slices.cellBias.at, descent.gates, rows, width);
  secondPool.fill(0);
  multiplyAdd(m.secondPool, 0, m.gates, 0, m.inputWeightsAcross, 0, rows, inputs, width);
}

/** Gradients of the sums in the gates of one window at one step, and of the states at the step before. */
function descendStep(pass: Pass, descent: Descent, window: number, step: number): void {
  const { gates, states, tangents, layout } = pass;
  const { cells } = pass.size;
  const row = window * layout.secondPooled + step;
  const at = row * 4 * cells;
  for (let u = 0; u < cells; u++) {
    const here = window * cells + u;
    const input = gates[at + u];
    const forget = gates[at + cells + u];
    const candidate = gates[at + 2 * cells + u];
    const output = gates[at + 3 * cells + u];
    const tangent = tangents[row * cells + u];
    const past = step > 0 ? states[(row - 1) * cells + u] : 0;
    const ofOutput = descent.outputs[here];
    const ofState = descent.states[here] + ofOutput * output * (1 - tangent * tangent);
    descent.gates[at + u] = ofState * candidate * input * (1 - input);
    descent.gates[at + cells + u] = ofState * past * forget * (1 - forget);
    descent.gates[at + 2 * cells + u] = ofState * input * (1 - candidate * candidate);
    descent.gates[at + 3 * cells + u] = ofOutput * tangent * output * (1 - output);
    descent.states[here] = ofState * forget;
  }
}

function descendConvolutions(pass: Pass, descent: Descent, count: number, toInput: boolean): void {
  const { size, layout } = pass;
  const { slices, firstSteps, firstPooled, secondSteps, secondPooled } = layout;
  const { bars, columns } = size;
  const [one, two] = size.filters;
  const firstDepth = slices.firstFilters.width;
  const secondDepth = slices.secondFilters.width;
  const { gradient, firstOut, firstPool, secondOut, secondPool, matrices: m } = descent;
  const { firstFilters, secondFilters } = m.weights;
  unpool(pass.secondOut, secondOut, secondPool, count, secondSteps, secondPooled, two);
  addRows(gradient, slices.secondBias.at, secondOut, count * secondSteps, two);
  firstPool.fill(0);
  for (let b = 0; b < count; b++) {
    const out = b * secondSteps * two;
    const pooled = b * firstPooled * one;
    const { secondOutAcross: across, passFirstPoolAcross: from, secondFiltersAcross: weights } = m;
    multiplyAdd(secondFilters, 0, across, out, from, pooled, two, secondDepth, secondSteps);
    multiplyAdd(m.firstPool, pooled, m.secondOut, out, weights, 0, secondSteps, secondDepth, two);
  }
  unpool(pass.firstOut, firstOut, firstPool, count, firstSteps, firstPooled, one);
  addRows(gradient, slices.firstBias.at, firstOut, count * firstSteps, one);
  if (toInput) descent.input.fill(0);
  for (let b = 0; b < count; b++) {
    const out = b * firstSteps * one;
    const from = b * bars * columns;
    const { firstOutAcross: across, passInputAcross: input, firstFiltersAcross: weights } = m;
    multiplyAdd(firstFilters, 0, across, out, input, from, one, firstDepth, firstSteps);
    if (toInput) multiplyAdd(m.input, from, m.firstOut, out, weights, 0, firstSteps, firstDepth, one);
  }
}

/** Hands the gradient of what was pooled to the step that it came from, and none to steps that were left out. */
function unpool(
  sums: Float64Array,
  into: Float64Array,
  from: Float64Array,
  count: number,
  steps: number,
  pooled: number,
  width: number,
): void {
  const skipped = (steps & 1) * width;
  for (let b = 0; b < count; b++) {
    const begin = b * steps * width;
    for (let f = 0; f < skipped; f++) into[begin + f] = 0;
    for (let s = 0; s < pooled; s++) {
      const left = begin + skipped + 2 * s * width;
      const at = (b * pooled + s) * width;
      for (let f = 0; f < width; f++) {
        const x = sums[left + f];
        const y = sums[left + width + f];
        const higher = x > y ? x : y;
        const share = higher > 0 ? from[at + f] : 0;
        into[left + f] = x > y ? share : 0;
        into[left + width + f] = x > y ? 0 : share;
      }
    }
  }
}
