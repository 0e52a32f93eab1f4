import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/features/sentiment/onnx.js";
import { createWordPiece } from "../../src/features/sentiment/wordpiece.js";
import { logitsOf, writeModel } from "../fixtures/onnx-model.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-onnx-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A runtime that computes what the small model computes. */
class StandInTensor {
  readonly data: BigInt64Array;
  readonly dims: readonly number[];
  constructor(_type: string, data: BigInt64Array, dims: readonly number[]) {
    this.data = data;
    this.dims = dims;
  }
}
const standIn = (inputNames = ["input_ids", "attention_mask"], answer?: readonly number[]) => ({
  Tensor: StandInTensor,
  InferenceSession: {
    async create(path: string) {
      if (!existsSync(path)) throw new Error("no such file");
      return {
        inputNames,
        outputNames: ["logits"],
        async run(feeds: Record<string, StandInTensor>) {
          const data = answer ?? logitsOf(Array.from(feeds.input_ids.data, Number));
          return { logits: { data, dims: [1, data.length] } };
        },
      };
    },
  },
});

const NO_ALIASES = new Map();
const softmax = (logits: readonly number[]) => {
  const powers = logits.map(Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
};

/** The small model's probabilities of "Profits rise" (profit ##s rise between the marks). */
const [positive, negative, neutral] = softmax(logitsOf([2, 4, 6, 5, 3]));

describe("the classifier", () => {
  it("is not used when it is not configured, and says so", async () => {
    expect(await loadOnnx(undefined)).toEqual({
      model: null,
      state: { configured: false, available: false, reason: "SENTIMENT_MODEL_PATH is not configured" },
    });
  });

  it("is not used without the package, with one that is another, or with one that does not load", async () => {
    writeModel(folder);
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    const reasonWith = async (load: () => Promise<unknown>) => (await loadOnnx(folder, load)).state.reason;
    expect(await reasonWith(() => Promise.reject(missing))).toBe(
      "the package onnxruntime-node is not installed",
    );
    expect(await reasonWith(async () => ({ default: {} }))).toBe(
      "the package onnxruntime-node is not as expected",
    );
    expect(await reasonWith(() => Promise.reject(new Error("bad ELF")))).toContain("does not load: bad ELF");
  });

  it.each([
    ["no model", (path: string) => rmSync(join(path, "model.onnx")), /ENOENT/],
    ["no vocabulary", (path: string) => rmSync(join(path, "vocab.txt")), /ENOENT/],
    [
      "a vocabulary without marks",
      (path: string) => writeFileSync(join(path, "vocab.txt"), "a\nb"),
      /no \[CLS\]/,
    ],
    [
      "a configuration that is no JSON",
      (path: string) => writeFileSync(join(path, "config.json"), "{"),
      /JSON/,
    ],
    [
      "a configuration without labels",
      (path: string) => writeFileSync(join(path, "config.json"), "{}"),
      /id2label/,
    ],
    [
      "labels of something else",
      (path: string) => writeModel(path, ["joy", "anger", "fear"]),
      /labels are joy/,
    ],
    [
      "labels of one side",
      (path: string) => writeModel(path, ["positive", "neutral", "neutral"]),
      /labels are/,
    ],
  ])("is not used with %s", async (_, spoil, reason) => {
    spoil(writeModel(folder));
    const { model, state } = await loadOnnx(folder, async () => standIn());
    expect(model).toBeNull();
    expect(state).toEqual({ configured: true, available: false, reason: expect.stringMatching(reason) });
  });

  it("is not used when it wants other inputs or gives other numbers", async () => {
    writeModel(folder);
    const reasonWith = async (runtime: unknown) => (await loadOnnx(folder, async () => runtime)).state.reason;
    expect(await reasonWith(standIn(["pixels"]))).toContain("wants pixels");
    expect(await reasonWith(standIn(undefined, [1, 2]))).toContain("2 numbers for 3 labels");
    expect(await reasonWith(standIn(undefined, [1, 2, Number.NaN]))).toContain("3 numbers");
  });

  it("scores a text by its probabilities, under the digest of its file", async () => {
    const { model, state } = await loadOnnx(writeModel(folder), async () => ({ default: standIn() }));
    expect(state).toEqual({ configured: true, available: true, reason: null });
    expect(model?.version).toMatch(/^onnx-[0-9a-f]{12}$/);
    const scored = await model?.score("Profits rise", NO_ALIASES);
    expect(scored?.whole.label).toBe("positive");
    expect(scored?.whole.score).toBeCloseTo(positive - negative, 12);
    expect(scored?.whole.confidence).toBeCloseTo(Math.max(positive, neutral), 12);
    expect((await model?.score("fraud", NO_ALIASES))?.whole.label).toBe("negative");
    expect((await model?.score("the", NO_ALIASES))?.whole.label).toBe("neutral");
    expect((await model?.score("rise ".repeat(500), NO_ALIASES))?.whole.label).toBe("positive");
  });

  const installed = (() => {
    try {
      createRequire(import.meta.url).resolve("onnxruntime-node");
      return true;
    } catch {
      process.stderr.write("skipped: the package onnxruntime-node is not installed beside the project\n");
      return false;
    }
  })();
  it.skipIf(!installed)("is run by the real runtime", async () => {
    const { model, state } = await loadOnnx(writeModel(folder));
    expect(state).toEqual({ configured: true, available: true, reason: null });
    const scored = await model?.score("Profits rise", NO_ALIASES);
    expect(scored?.whole.score).toBeCloseTo(positive - negative, 6);
    writeFileSync(join(folder, "model.onnx"), "no model");
    expect((await loadOnnx(folder)).state).toMatchObject({ configured: true, available: false });
  });
});

describe("pieces of words", () => {
  it("are those of BERT's own test", () => {
    const vocabulary = [
      "[UNK]",
      "[CLS]",
      "[SEP]",
      "want",
      "##want",
      "##ed",
      "wa",
      "un",
      "runn",
      "##ing",
      ",",
    ].join("\n");
    const { pieces, encode } = createWordPiece(vocabulary, true);
    expect(pieces("UNwant\u00E9d,running")).toEqual(["un", "##want", "##ed", ",", "runn", "##ing"]);
    expect(pieces("unwantedX running")).toEqual(["[UNK]", "runn", "##ing"]);
    expect(pieces("")).toEqual([]);
    expect(encode("UNwant\u00E9d,running", 512)).toEqual({
      ids: [1, 7, 4, 5, 10, 8, 9, 2],
      mask: Array(8).fill(1),
    });
    expect(encode("UNwant\u00E9d,running", 4).ids).toEqual([1, 7, 4, 2]);
    expect(pieces("a".repeat(101))).toEqual(["[UNK]"]);
  });

  it("keep capitals where the vocabulary has them", () => {
    const { pieces } = createWordPiece("[UNK]\n[CLS]\n[SEP]\nApple\napple", false);
    expect(pieces("Apple apple APPLE")).toEqual(["Apple", "apple", "[UNK]"]);
  });
});
