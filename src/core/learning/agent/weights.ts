import { hash32 } from "../../base/rng.js";
import { WeightsRefused } from "../define.js";
import { denseLength } from "../dense.js";
import type { Agent } from "./policy.js";
import { ACTIONS } from "./simulator.js";
import { STATE_COLUMNS, STATE_LENGTH } from "./state.js";

/** Raised when the same weights would act otherwise than before. */
export const AGENT_SCHEMA = 1;
const KIND = "q_agent";
/** Units that a hidden layer may have, and hidden layers, so that no file asks for all memory. */
const MOST_UNITS = 1_024;
const MOST_LAYERS = 8;

/** JSON of an agent; one that `decodeAgent` reads back to the last bit. */
export function encodeAgent({ net, unit, margin, terms }: Agent): unknown {
  const body = {
    kind: KIND,
    schema: AGENT_SCHEMA,
    columns: columnTexts(),
    actions: [...ACTIONS],
    unit,
    margin,
    terms: { costBps: terms.costBps, borrowBps: terms.borrowBps, shorts: terms.shorts },
    sizes: [...net.sizes],
    // JSON knows no negative 0.
    weights: Array.from(net.weights, (weight) => weight + 0),
  };
  return { ...body, digest: hash32(JSON.stringify(body)) };
}

/** What a column is and how it enters the net, in one text each. */
function columnTexts(): string[] {
  return STATE_COLUMNS.map(({ name, scale, unit }) => `${name} per ${scale}: ${unit}`);
}

const KEYS = [
  "kind",
  "schema",
  "columns",
  "actions",
  "unit",
  "margin",
  "terms",
  "sizes",
  "weights",
  "digest",
];
const TERM_KEYS = ["costBps", "borrowBps", "shorts"];

/** @throws {WeightsRefused} with a reason for all that is not whole, finite, of this schema and as it was written. */
export function decodeAgent(value: unknown): Agent {
  const told = recordOf(value, KEYS, "an agent");
  same(told.kind, KIND, "kind");
  same(told.schema, AGENT_SCHEMA, "schema");
  sameTexts(told.columns, columnTexts(), "columns");
  sameTexts(told.actions, ACTIONS, "actions");
  const sizes = sizesOf(told.sizes);
  const weights = numbersOf(told.weights, "weights");
  refuseUnless(
    weights.length === denseLength(sizes),
    `${weights.length} weights for layers of ${sizes.join(", ")}`,
  );
  const unit = numberOf(told.unit, "unit");
  refuseUnless(unit > 0, "unit is not above 0");
  const margin = told.margin === null ? null : atLeastZero(told.margin, "margin");
  const given = recordOf(told.terms, TERM_KEYS, "terms");
  const { shorts } = given;
  if (typeof shorts !== "boolean") throw new WeightsRefused("terms.shorts is neither true nor false");
  const terms = {
    costBps: atLeastZero(given.costBps, "terms.costBps"),
    borrowBps: atLeastZero(given.borrowBps, "terms.borrowBps"),
    shorts,
  };
  const agent: Agent = { net: { sizes, weights: Float64Array.from(weights) }, unit, margin, terms };
  const { digest } = encodeAgent(agent) as { readonly digest: number };
  refuseUnless(told.digest === digest, "the digest is of other weights");
  return agent;
}

function refuseUnless(holds: boolean, reason: string): void {
  if (!holds) throw new WeightsRefused(reason);
}

function recordOf(value: unknown, keys: readonly string[], what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsRefused(`${what} is no object`);
  }
  const found = Object.keys(value);
  const missing = keys.filter((key) => !found.includes(key));
  refuseUnless(missing.length === 0, `${what} lacks ${missing.join(", ")}`);
  const unknown = found.filter((key) => !keys.includes(key));
  refuseUnless(unknown.length === 0, `${what} has unknown ${unknown.join(", ")}`);
  return value as Readonly<Record<string, unknown>>;
}

function same(found: unknown, wanted: string | number, what: string): void {
  refuseUnless(found === wanted, `${what} is not ${wanted}`);
}

function sameTexts(found: unknown, wanted: readonly string[], what: string): void {
  const holds =
    Array.isArray(found) && found.length === wanted.length && wanted.every((text, at) => found[at] === text);
  refuseUnless(holds, `${what} are not those of this version`);
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new WeightsRefused(`${what} is no number`);
  return value;
}

function atLeastZero(value: unknown, what: string): number {
  const number = numberOf(value, what);
  refuseUnless(number >= 0, `${what} is below 0`);
  return number;
}

function numbersOf(value: unknown, what: string): number[] {
  if (!Array.isArray(value)) throw new WeightsRefused(`${what} are no list`);
  return Array.from(value, (each: unknown, at) => numberOf(each, `${what}[${at}]`));
}

function sizesOf(value: unknown): number[] {
  const sizes = numbersOf(value, "sizes");
  const sound = (size: number) => Number.isInteger(size) && size >= 1 && size <= MOST_UNITS;
  refuseUnless(
    sizes.length >= 2 && sizes.length <= MOST_LAYERS + 2 && sizes.every(sound),
    "sizes are no layers",
  );
  refuseUnless(sizes[0] === STATE_LENGTH, `the net takes ${sizes[0]} inputs, not ${STATE_LENGTH}`);
  refuseUnless(
    sizes.at(-1) === ACTIONS.length,
    `the net gives ${sizes.at(-1)} worths, not ${ACTIONS.length}`,
  );
  return sizes;
}
