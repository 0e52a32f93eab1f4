import { WeightsRefused } from "../define.js";
import { MOST_DEPTH } from "./settings.js";
import type { Trees } from "./trees.js";

/** Nodes and columns that weights may have at most. */
const MOST_NODES = 5_000_000;
const MOST_COLUMNS = 10_000;

/** Beyond this no log-odds are of any use, and sums of them might not be finite. */
const MOST_LOG_ODDS = 1e6;

const KEYS = [
  "names",
  "base",
  "roots",
  "columns",
  "thresholds",
  "missingLeft",
  "rights",
  "values",
  "covers",
  "gains",
] as const;

/** Trees as JSON: the columns of `Trees` as lists. */
export function encodeTrees(trees: Trees): Readonly<Record<string, unknown>> {
  return {
    names: [...trees.names],
    base: trees.base,
    roots: [...trees.roots],
    columns: [...trees.columns],
    thresholds: [...trees.thresholds],
    missingLeft: [...trees.missingLeft],
    rights: [...trees.rights],
    values: [...trees.values],
    covers: [...trees.covers],
    gains: [...trees.gains],
  };
}

/** Trees of JSON. @throws {WeightsRefused} for all that `encodeTrees` could not have written of trees that were grown. */
export function decodeTrees(value: unknown): Trees {
  const file = recordOf(value, KEYS, "trees");
  const names = namesOf(file.names);
  const base = finite(file.base, "base");
  refuse(Math.abs(base) > MOST_LOG_ODDS, "base is out of range");
  const roots = Int32Array.from(integers(file.roots, "roots", 0, MOST_NODES));
  refuse(roots.length === 0 || roots[0] !== 0, "roots begin with 0");
  for (let tree = 1; tree < roots.length; tree++) refuse(roots[tree] <= roots[tree - 1], "roots ascend");
  const nodes = roots[roots.length - 1];
  const list = (key: (typeof KEYS)[number], least: number, most: number) =>
    ofLength(integers(file[key], key, least, most), nodes, key);
  const reals = (key: (typeof KEYS)[number]) =>
    Float64Array.from(ofLength(listOf(file[key], key), nodes, key), (each) => finite(each, key));
  const trees: Trees = {
    names,
    base,
    roots,
    columns: Int32Array.from(list("columns", -1, names.length - 1)),
    thresholds: reals("thresholds"),
    missingLeft: Uint8Array.from(list("missingLeft", 0, 1)),
    rights: Int32Array.from(list("rights", 0, Math.max(0, nodes - 1))),
    values: reals("values"),
    covers: reals("covers"),
    gains: reals("gains"),
  };
  for (let tree = 0; tree + 1 < roots.length; tree++) checkTree(trees, roots[tree], roots[tree + 1]);
  return trees;
}

/** @throws {WeightsRefused} where the nodes between two roots are not one tree in preorder. */
function checkTree(trees: Trees, root: number, end: number): void {
  const ends = new Int32Array(end - root);
  const depths = new Int32Array(end - root);
  // From the last node on, the children of each are known before it.
  for (let node = end - 1; node >= root; node--) {
    checkNumbers(trees, node);
    const right = trees.rights[node];
    if (trees.columns[node] < 0) {
      ends[node - root] = node + 1;
      continue;
    }
    refuse(right <= node + 1 || right >= end, "a right child lies in its tree, after the left one");
    refuse(ends[node + 1 - root] !== right, "a right child begins where the left one ends");
    ends[node - root] = ends[right - root];
    depths[node - root] = 1 + Math.max(depths[node + 1 - root], depths[right - root]);
    refuse(
      trees.covers[node] !== trees.covers[node + 1] + trees.covers[right],
      "children cover their parent",
    );
  }
  refuse(ends[0] !== end, "nodes of a tree are reached from its root");
  refuse(depths[0] > MOST_DEPTH, `trees are no deeper than ${MOST_DEPTH}`);
}

function checkNumbers(
  { columns, thresholds, missingLeft, rights, values, covers, gains }: Trees,
  node: number,
) {
  refuse(!(covers[node] > 0), "covers are above 0");
  if (columns[node] >= 0) {
    refuse(values[node] !== 0, "only leaves have values");
    refuse(!(gains[node] > 0), "splits gain");
  } else {
    const blank =
      thresholds[node] === 0 && missingLeft[node] === 0 && rights[node] === 0 && gains[node] === 0;
    refuse(!blank, "leaves have a value and a cover alone");
    refuse(Math.abs(values[node]) > MOST_LOG_ODDS, "values are out of range");
  }
}

/** Refuses where something is so. @throws {WeightsRefused} */
export function refuse(wrong: boolean, reason: string): void {
  if (wrong) throw new WeightsRefused(reason);
}

/** An object that has just these keys. @throws {WeightsRefused} */
export function recordOf<Key extends string>(
  value: unknown,
  keys: readonly Key[],
  what: string,
): Readonly<Record<Key, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsRefused(`${what} are no object`);
  }
  const missing = keys.filter((key) => !Object.hasOwn(value, key));
  const strange = Object.keys(value).filter((key) => !keys.some((known) => known === key));
  refuse(missing.length > 0, `${what} lack ${missing.join(", ")}`);
  refuse(strange.length > 0, `${what} have what is not known: ${strange.join(", ")}`);
  return value as Readonly<Record<Key, unknown>>;
}

/** @throws {WeightsRefused} for all but a finite number. */
export function finite(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new WeightsRefused(`${what} is no finite number`);
  }
  return value;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WeightsRefused(`${what} is no list`);
  return value;
}

function integers(value: unknown, what: string, least: number, most: number): readonly number[] {
  return listOf(value, what).map((each) => {
    const number = finite(each, what);
    refuse(!Number.isInteger(number) || number < least || number > most, `${what} is out of range`);
    return number;
  });
}

function ofLength<T>(list: readonly T[], length: number, what: string): readonly T[] {
  refuse(list.length !== length, `${what} has ${list.length} of ${length} nodes`);
  return list;
}

function namesOf(value: unknown): readonly string[] {
  const names = listOf(value, "names").map((name) => {
    if (typeof name !== "string" || name === "") throw new WeightsRefused("a name is no text");
    return name;
  });
  refuse(names.length === 0 || names.length > MOST_COLUMNS, "names are out of range");
  refuse(new Set(names).size !== names.length, "names repeat");
  return names;
}
