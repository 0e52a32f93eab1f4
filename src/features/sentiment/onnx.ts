import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Judgement, Polarity } from "../../core/sentiment/judge.js";
import { messageOf } from "../../platform/errors.js";
import { type ClassifierState, type SentimentModel, termsOf } from "./model.js";
import { createWordPiece } from "./wordpiece.js";

/** Not a dependency: 290 MB, and its installation fetches from elsewhere. Whoever wants it installs it beside. */
const RUNTIME = "onnxruntime-node";
const MODEL_LIMIT_BYTES = 2 * 1024 ** 3;
const TEXT_LIMIT_BYTES = 16 * 1024 ** 2;
/** Pieces of a text that are read: headlines and posts are shorter. */
const MAX_PIECES = 256;

/** What is used of the runtime. */
interface Tensor {
  readonly data: ArrayLike<number | bigint>;
  readonly dims: readonly number[];
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
interface Runtime {
  readonly InferenceSession: { create(path: string): Promise<Session> };
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => Tensor;
}

const configSchema = z.object({
  id2label: z.record(z.string().regex(/^\d{1,2}$/), z.string()),
  max_position_embeddings: z.number().int().min(8).optional(),
});
const tokenizerSchema = z.object({ do_lower_case: z.boolean().optional() });

export type Loaded =
  | { readonly model: SentimentModel; readonly state: ClassifierState }
  | { readonly model: null; readonly state: ClassifierState };

/**
 * A text classifier as Hugging Face exports it: `model.onnx`, `vocab.txt` and `config.json`, whose labels are named
 * positive, negative and, perhaps, neutral. Never fails: what is missing or wrong is said in the state.
 *
 * @param load imports the runtime; a stand-in in tests
 */
export async function loadOnnx(
  folder: string | undefined,
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<Loaded> {
  if (folder === undefined) return absent(false, "SENTIMENT_MODEL_PATH is not configured");
  const runtime = await loadRuntime(load);
  if (typeof runtime === "string") return absent(true, runtime);
  try {
    return {
      model: await openModel(folder, runtime),
      state: { configured: true, available: true, reason: null },
    };
  } catch (error) {
    return absent(true, `the classifier cannot be used: ${messageOf(error)}`.slice(0, 300));
  }
}

const absent = (configured: boolean, reason: string): Loaded => ({
  model: null,
  state: { configured, available: false, reason },
});

/** The runtime, or why there is none. */
async function loadRuntime(load: (name: string) => Promise<unknown>): Promise<Runtime | string> {
  try {
    const loaded = await load(RUNTIME);
    const found = [loaded, (loaded as { default?: unknown } | null)?.default].find(isRuntime);
    return found ?? `the package ${RUNTIME} is not as expected`;
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code === "ERR_MODULE_NOT_FOUND"
      ? `the package ${RUNTIME} is not installed`
      : `the package ${RUNTIME} does not load: ${messageOf(error).slice(0, 200)}`;
  }
}

function isRuntime(value: unknown): value is Runtime {
  const { InferenceSession, Tensor: tensor } = (value ?? {}) as Partial<Record<keyof Runtime, unknown>>;
  const create = (InferenceSession as { create?: unknown } | undefined)?.create;
  return typeof create === "function" && typeof tensor === "function";
}

async function openModel(folder: string, runtime: Runtime): Promise<SentimentModel> {
  const path = join(folder, "model.onnx");
  await requireSize(path, MODEL_LIMIT_BYTES);
  const config = configSchema.parse(await readJson(join(folder, "config.json")));
  const labels = polaritiesOf(config.id2label);
  const vocabulary = await readLimited(join(folder, "vocab.txt"));
  const lowerCase = (await tokenizerSettings(folder)).do_lower_case ?? !/^[A-Z]/m.test(vocabulary);
  const wordPiece = createWordPiece(vocabulary, lowerCase);
  const session = await runtime.InferenceSession.create(path);
  const unknown = session.inputNames.filter((name) => !INPUTS.has(name));
  if (unknown.length > 0) throw new Error(`the model wants ${unknown.join(", ")}`);
  const limit = Math.min(MAX_PIECES, config.max_position_embeddings ?? MAX_PIECES);

  async function judge(text: string): Promise<Judgement> {
    const { ids, mask } = wordPiece.encode(text, limit);
    const values: Readonly<Record<string, readonly number[]>> = {
      input_ids: ids,
      attention_mask: mask,
      token_type_ids: ids.map(() => 0),
    };
    const feeds: Record<string, Tensor> = {};
    for (const name of session.inputNames) {
      feeds[name] = new runtime.Tensor("int64", BigInt64Array.from(values[name], BigInt), [1, ids.length]);
    }
    const output = (await session.run(feeds))[session.outputNames[0]];
    return judgementOf(Array.from(output.data, Number), labels);
  }

  // Once at the start, so that a model of another shape is told of at once.
  await judge("shares rise");
  return {
    version: `onnx-${await digestOf(path)}`,
    method: "onnx",
    async score(text, aliases) {
      return { whole: await judge(text), symbols: new Map(), terms: termsOf(text, aliases) };
    },
  };
}

const INPUTS: ReadonlySet<string> = new Set(["input_ids", "attention_mask", "token_type_ids"]);

/** What each output stands for, in their order. @throws where they are not sides of sentiment. */
function polaritiesOf(labels: Readonly<Record<string, string>>): readonly Polarity[] {
  const names = Object.keys(labels).map((_, id) => labels[String(id)] ?? "");
  const found = names.map((name): Polarity | null => {
    if (/^(pos|bull)/i.test(name)) return "positive";
    if (/^(neg|bear)/i.test(name)) return "negative";
    return /^neu/i.test(name) ? "neutral" : null;
  });
  const known = found.filter((label) => label !== null);
  if (known.length !== names.length || !known.includes("positive") || !known.includes("negative")) {
    throw new Error(`its labels are ${names.join(", ")}, not positive, negative and neutral`);
  }
  return known;
}

/** @param logits one for each label. */
function judgementOf(logits: readonly number[], labels: readonly Polarity[]): Judgement {
  if (logits.length !== labels.length || !logits.every(Number.isFinite)) {
    throw new Error(`the model gave ${logits.length} numbers for ${labels.length} labels`);
  }
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  const share = (of: Polarity) =>
    powers.reduce((total, power, i) => (labels[i] === of ? total + power / sum : total), 0);
  const probabilities = {
    negative: share("negative"),
    neutral: share("neutral"),
    positive: share("positive"),
  };
  const confidence = Math.max(probabilities.negative, probabilities.neutral, probabilities.positive);
  const label =
    (Object.keys(probabilities) as Polarity[]).find((of) => probabilities[of] === confidence) ?? "neutral";
  return { score: probabilities.positive - probabilities.negative, label, confidence, probabilities };
}

async function tokenizerSettings(folder: string): Promise<z.output<typeof tokenizerSchema>> {
  try {
    return tokenizerSchema.parse(await readJson(join(folder, "tokenizer_config.json")));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return {};
    throw error;
  }
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readLimited(path));

async function readLimited(path: string): Promise<string> {
  await requireSize(path, TEXT_LIMIT_BYTES);
  return readFile(path, "utf8");
}

async function requireSize(path: string, limit: number): Promise<void> {
  const { size } = await stat(path);
  if (size > limit) throw new Error(`a file has ${size} bytes; ${limit} are the limit`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex").slice(0, 12);
}
