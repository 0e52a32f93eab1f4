import { base64Of, bytesOfBase64, bytesOfColumn, columnOfBytes } from "../base/bytes.js";
import type { Samples } from "./define.js";
import { samplesProblem } from "./rows.js";
import { type LabelledSamples, SAMPLE_SCHEMA, type SampleFacts } from "./samples.js";

/** What a file of samples is not: one that can be learnt from. */
export class DataSetRefused extends Error {
  override readonly name = "DataSetRefused";
}

/** Samples as a file holds them. */
export interface DataSet extends LabelledSamples {
  /** Of the columns: `SAMPLE_SCHEMA` when it was made. */
  readonly schema: string;
}

/** A file: plain JSON, columns as base64 of doubles, little end first. */
export interface DataSetFile {
  readonly format: typeof FORMAT;
  readonly schema: string;
  /** SHA-256 of `bytesOfDataSet`, hexadecimal. */
  readonly sha256: string;
  readonly names: readonly string[];
  readonly columns: readonly string[];
  readonly labels: string;
  readonly decidedAt: string;
  readonly settledAt: string;
  readonly weights: string | null;
  readonly facts: readonly SampleFacts[];
  /** Which stretch of the rows it holds, from 1 on, where they are too many for one file; null for all of them. */
  readonly part: DataSetPart | null;
}

export interface DataSetPart {
  readonly number: number;
  readonly of: number;
}

const FORMAT = "tx-samples-1";

/** Samples under the schema that this program has. */
export function dataSetOf({ samples, facts }: LabelledSamples): DataSet {
  return { schema: SAMPLE_SCHEMA, samples, facts };
}

const numbersOf = ({ columns, labels, decidedAt, settledAt, weights }: Samples) => [
  ...columns,
  labels,
  decidedAt,
  settledAt,
  ...(weights === undefined ? [] : [weights]),
];

/**
 * All that a data set says, as bytes that equal data sets share on every machine: a line of JSON, fields in the order of
 * their names and letters beyond ASCII escaped, and after it the columns. A digest of them names the data set.
 */
export function bytesOfDataSet({ schema, samples, facts }: DataSet): Uint8Array {
  const head = {
    format: FORMAT,
    schema,
    names: samples.names,
    rows: samples.labels.length,
    weighted: samples.weights !== undefined,
    facts,
  };
  const text = `${JSON.stringify(head, inOrder).replace(/[^ -~]/g, escaped)}\n`;
  const parts = numbersOf(samples).map(bytesOfColumn);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, text.length));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  let at = text.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Fields by their names: stores of JSON give them back in orders of their own. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * @param sha256 of `bytesOfDataSet` of all rows; the digest is the caller's, as it needs more than numbers.
 * @param part which stretch of the rows these are; null for all of them.
 */
export function encodeDataSet(
  { schema, samples, facts }: DataSet,
  sha256: string,
  part: DataSetPart | null = null,
): DataSetFile {
  const text = (column: Float64Array) => base64Of(bytesOfColumn(column));
  const { names, columns, labels, decidedAt, settledAt, weights } = samples;
  return {
    format: FORMAT,
    schema,
    sha256,
    names,
    columns: columns.map(text),
    labels: text(labels),
    decidedAt: text(decidedAt),
    settledAt: text(settledAt),
    weights: weights === undefined ? null : text(weights),
    facts,
    part,
  };
}

/** A file that was read back. */
export interface ReadDataSet {
  readonly dataSet: DataSet;
  readonly sha256: string;
  readonly part: DataSetPart | null;
}

/**
 * The data set of a file that was read back. Whether its digest is that of its bytes is for the caller to see.
 * @throws {DataSetRefused} for another format, what is not whole, and rows that nothing could be learnt from.
 */
export function decodeDataSet(value: unknown): ReadDataSet {
  const file = recordOf(value, "the file");
  if (file.format !== FORMAT) throw new DataSetRefused(`format ${String(file.format)}`);
  const names = listOf(file.names, "names").map((name) => textOf(name, "a name"));
  const columnOf = (column: unknown, name: string): Float64Array => {
    const bytes = bytesOfBase64(textOf(column, name));
    const read = bytes === null ? null : columnOfBytes(bytes);
    if (read === null) throw new DataSetRefused(`${name} is no column`);
    return read;
  };
  const columns = listOf(file.columns, "columns").map((column, k) =>
    columnOf(column, names[k] ?? "a column"),
  );
  const samples: Samples = {
    names,
    columns,
    labels: columnOf(file.labels, "labels"),
    decidedAt: columnOf(file.decidedAt, "decidedAt"),
    settledAt: columnOf(file.settledAt, "settledAt"),
    ...(file.weights === null ? {} : { weights: columnOf(file.weights, "weights") }),
  };
  const problem = samplesProblem(samples);
  if (problem !== null) throw new DataSetRefused(problem);
  const facts = listOf(file.facts, "facts");
  if (facts.length !== samples.labels.length) throw new DataSetRefused("facts are not one for each row");
  for (const [row, fact] of facts.entries()) checkFact(fact, row, samples);
  return {
    dataSet: { schema: textOf(file.schema, "schema"), samples, facts: facts as readonly SampleFacts[] },
    sha256: textOf(file.sha256, "sha256"),
    part: partOf(file.part),
  };
}

/** Files from before there were parts hold all rows. */
function partOf(value: unknown): DataSetPart | null {
  if (value === undefined || value === null) return null;
  const part = recordOf(value, "a part");
  const [number, of] = [numberOf(part.number, "number of a part"), numberOf(part.of, "parts")];
  if (Number.isInteger(number) && Number.isInteger(of) && number >= 1 && number <= of) return { number, of };
  throw new DataSetRefused(`part ${number} of ${of}`);
}

/**
 * The data set of all parts, in any order, or of a file that holds all rows.
 * @throws {DataSetRefused} where one is missing, comes twice or is of another data set.
 */
export function joinDataSets(files: readonly ReadDataSet[]): Omit<ReadDataSet, "part"> {
  const sorted = [...files].sort((a, b) => (a.part?.number ?? 1) - (b.part?.number ?? 1));
  const [first] = sorted;
  if (first === undefined) throw new DataSetRefused("no file");
  const { sha256, part, dataSet } = first;
  const numbers = sorted.map((each) => each.part?.number ?? 1).join(", ");
  const wanted = Array.from({ length: part?.of ?? 1 }, (_, k) => k + 1).join(", ");
  if (numbers !== wanted) throw new DataSetRefused(`parts ${numbers} are given, and ${wanted} are all`);
  for (const each of sorted) {
    const { schema, samples } = each.dataSet;
    const isAlike =
      each.sha256 === sha256 &&
      schema === dataSet.schema &&
      JSON.stringify(samples.names) === JSON.stringify(dataSet.samples.names) &&
      (samples.weights === undefined) === (dataSet.samples.weights === undefined);
    if (!isAlike) throw new DataSetRefused("the parts are of several data sets");
  }
  const column = (of: (samples: Samples) => Float64Array) => {
    const pieces = sorted.map((each) => of(each.dataSet.samples));
    const whole = new Float64Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };
  const { names, weights } = dataSet.samples;
  const samples: Samples = {
    names,
    columns: names.map((_, k) => column(({ columns }) => columns[k])),
    labels: column(({ labels }) => labels),
    decidedAt: column(({ decidedAt }) => decidedAt),
    settledAt: column(({ settledAt }) => settledAt),
    ...(weights === undefined ? {} : { weights: column((each) => each.weights ?? new Float64Array(0)) }),
  };
  const facts = sorted.flatMap((each) => each.dataSet.facts);
  return { dataSet: { schema: dataSet.schema, samples, facts }, sha256 };
}

function checkFact(value: unknown, row: number, { labels, decidedAt, settledAt }: Samples): void {
  const fact = recordOf(value, `facts of row ${row}`);
  for (const name of ["symbol", "interval"]) textOf(fact[name], name);
  for (const name of ["at", "time", "exitAt"]) numberOf(fact[name], name);
  for (const variant of listOf(fact.patterns, "patterns")) textOf(variant, "a pattern");
  const plan = recordOf(fact.plan, "a plan");
  for (const name of ["at", "direction", "stop", "target", "horizon", "costBps"]) numberOf(plan[name], name);
  const label = recordOf(fact.label, "a label");
  textOf(label.id, "id of a label");
  if (
    label.value !== labels[row] ||
    label.decidedAt !== decidedAt[row] ||
    label.settledAt !== settledAt[row]
  ) {
    throw new DataSetRefused(`facts of row ${row} are of another row`);
  }
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DataSetRefused(`${what} is no object`);
  return value as Record<string, unknown>;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new DataSetRefused(`${what} is no list`);
  return value;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw new DataSetRefused(`${what} is no text`);
  return value;
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new DataSetRefused(`${what} is no number`);
  return value;
}
