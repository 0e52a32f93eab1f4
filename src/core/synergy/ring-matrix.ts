import { assert } from "../base/assert.js";
import type { MatrixDefinition } from "./matrix-features.js";

/** Every matrix is told first when its bar opened, epoch ms. */
export const INPUT_TIME = 0;
/** Where things are in the state: rows taken so far; then inputs, times of rows, and values, row by row. */
const TAKEN = 0;
const INPUTS = 1;

/** What a matrix holds, oldest first. */
export interface MatrixSnapshot {
  readonly matrix: MatrixDefinition;
  /** Opens of the bars, epoch ms. */
  readonly time: Float64Array;
  /** Row by row, as many as there are times; NaN where a feature was not warm. */
  readonly values: Float64Array;
  readonly filled: number;
  /** How many of the newest rows have every value. */
  readonly whole: number;
}

/** The last rows of a matrix in a ring, with what its features remember, all of it in one column of doubles. */
export class RingMatrix {
  declare readonly definition: MatrixDefinition;
  /** All there is to save: a copy that is set back goes on as this one would have. */
  declare readonly state: Float64Array;
  /** What the next bar gives, in the order of the definition: a part of `state`. */
  declare readonly inputs: Float64Array;
  /** What features remember: a part of `state`. */
  declare protected readonly memory: Float64Array;
  declare protected readonly values: Float64Array;
  declare private readonly time: Float64Array;
  declare private readonly rows: number;
  declare private readonly columns: number;

  /**
   * @param memory doubles that features remember.
   * @param state where everything is kept, as long as `state` of another; memory of its own by default.
   */
  constructor(definition: MatrixDefinition, memory: number, state?: Float64Array) {
    const { rows, features, inputs } = definition;
    const times = INPUTS + inputs.length;
    const values = times + rows;
    const memoryAt = values + rows * features.length;
    this.definition = definition;
    this.state = state ?? new Float64Array(memoryAt + memory);
    assert(this.state.length === memoryAt + memory, "the state is as long as that of its kind");
    this.inputs = this.state.subarray(INPUTS, times);
    this.time = this.state.subarray(times, values);
    this.values = this.state.subarray(values, memoryAt);
    this.memory = this.state.subarray(memoryAt);
    this.rows = rows;
    this.columns = features.length;
  }

  /** Rows taken since the first bar. */
  get taken(): number {
    return this.state[TAKEN];
  }

  /** Takes a row from `inputs` at its time. @returns where its values go. @throws AssertionError for a bar that is not after the last. */
  protected next(): number {
    const { state, time, rows } = this;
    const taken = state[TAKEN] | 0;
    const row = taken % rows;
    if (taken > 0) {
      const since = this.inputs[INPUT_TIME] - time[row === 0 ? rows - 1 : row - 1];
      assert(since > 0, "bars come in their order");
    }
    time[row] = this.inputs[INPUT_TIME];
    state[TAKEN] = taken + 1;
    return row * this.columns;
  }

  snapshot(): MatrixSnapshot {
    const { rows, columns, definition } = this;
    const taken = this.state[TAKEN];
    const filled = Math.min(taken, rows);
    const time = new Float64Array(filled);
    const values = new Float64Array(filled * columns);
    for (let k = 0; k < filled; k++) {
      const row = (taken - filled + k) % rows;
      time[k] = this.time[row];
      values.set(this.values.subarray(row * columns, (row + 1) * columns), k * columns);
    }
    return { matrix: definition, time, values, filled, whole: filled - rowsUpToNaN(values, columns) };
  }

  /** The rows as `snapshot` has them at the end of `into`, NaN for those that have not come; allocates nothing. */
  copyTo(into: Float64Array): void {
    const { rows, columns, values } = this;
    const taken = this.state[TAKEN] | 0;
    let at = 0;
    for (let k = rows; k > 0; k--) {
      const from = ((taken - k + rows) % rows) * columns;
      for (let column = 0; column < columns; column++) {
        into[at++] = taken < k ? Number.NaN : values[from + column];
      }
    }
  }
}

/** Rows up to the last that lacks a value. */
function rowsUpToNaN(values: Float64Array, columns: number): number {
  for (let i = values.length - 1; i >= 0; i--) {
    if (Number.isNaN(values[i])) return Math.floor(i / columns) + 1;
  }
  return 0;
}
