import { assert, ensure } from "../base/assert.js";
import { decode24, encode24 } from "../base/base64.js";
import type { Classifier, Pair } from "./classifier.js";
import { DENSE } from "./features.js";
import type { HitRates } from "./judge.js";

/** A classifier as plain data that a source file can hold. */
export interface PackedModel {
  /** Negative and positive weight of the bias, and of each dense feature by name. */
  readonly bias: readonly [number, number];
  readonly dense: Readonly<Record<string, readonly [number, number]>>;
  /** What one step of a gram's weight is worth. */
  readonly gramStep: number;
  /** Eight characters a gram: base64 of its hash (4 bytes) and two signed steps (1 byte each), in order of hash. */
  readonly grams: string;
  readonly temperature: number;
  readonly hitRates: HitRates;
}

const CHARACTERS_PER_GRAM = 8;
const MAX_STEP = 127;

const signed = (byte: number) => (byte << 24) >> 24;
const rounded = ({ negative, positive }: Pair): [number, number] => [
  Math.round(negative * 1e4) / 1e4,
  Math.round(positive * 1e4) / 1e4,
];

/** Rounds gram weights to 255 steps and leaves out grams that round to nothing. */
export function packModel(classifier: Classifier, hitRates: HitRates): PackedModel {
  let largest = 0;
  for (const { negative, positive } of classifier.grams.values())
    largest = Math.max(largest, Math.abs(negative), Math.abs(positive));
  const gramStep = Number((largest / MAX_STEP).toPrecision(6)) || 1;
  const step = (weight: number) =>
    Math.max(-MAX_STEP, Math.min(MAX_STEP, Math.round(weight / gramStep))) & 0xff;
  const grams = [...classifier.grams]
    .sort(([a], [b]) => a - b)
    .map(([hash, pair]) => ({ hash, negative: step(pair.negative), positive: step(pair.positive) }))
    .filter(({ negative, positive }) => negative !== 0 || positive !== 0)
    .map(
      ({ hash, negative, positive }) =>
        encode24(hash >>> 8) + encode24(((hash & 0xff) << 16) | (negative << 8) | positive),
    )
    .join("");
  return {
    bias: rounded(classifier.bias),
    dense: Object.fromEntries([...classifier.dense].map(([name, pair]) => [name, rounded(pair)])),
    gramStep,
    grams,
    temperature: classifier.temperature,
    hitRates,
  };
}

/** The classifier of packed data; throws AssertionError when the data do not fit this version's features. */
export function unpackModel(packed: PackedModel): Classifier {
  assert(packed.grams.length % CHARACTERS_PER_GRAM === 0, "packed grams are whole");
  const names = Object.keys(packed.dense);
  assert(
    names.length === DENSE.length && DENSE.every((name) => name in packed.dense),
    "packed weights are of these features",
  );
  const grams = new Map<number, Pair>();
  for (let at = 0; at < packed.grams.length; at += CHARACTERS_PER_GRAM) {
    const [high, low] = [decodeGram(packed.grams, at), decodeGram(packed.grams, at + 4)];
    const hash = ((high << 8) | (low >>> 16)) >>> 0;
    grams.set(hash, {
      negative: signed((low >>> 8) & 0xff) * packed.gramStep,
      positive: signed(low & 0xff) * packed.gramStep,
    });
  }
  const pair = ([negative, positive]: readonly [number, number]): Pair => ({ negative, positive });
  return {
    bias: pair(packed.bias),
    dense: new Map(names.map((name) => [name, pair(packed.dense[name] ?? [0, 0])])),
    grams,
    temperature: packed.temperature,
  };
}

function decodeGram(text: string, at: number): number {
  return ensure(decode24(text, at), "packed grams are base64");
}
