import { writeFileSync } from "node:fs";
import { trainShipped } from "./sentiment-training.js";

/**
 * `npx tsx bench/sentiment-train.ts` trains the sentiment classifier from the labelled texts beside the checkout
 * and writes its weights to `src/core/sentiment/weights.ts`; format afterwards. The same texts give the same file.
 */
const { packed, texts } = trainShipped();
const counts = [...texts].map(([set, count]) => ` *   ${count} texts of ${set}`);
const { grams, ...rest } = packed;
const body = JSON.stringify({ ...rest, grams }, null, 2).replace(
  /\[\s+([^\]{]+?)\s+\]/g,
  (_, inner: string) => `[${inner.replace(/\s+/g, " ")}]`,
);
const source = `import type { PackedModel } from "./pack.js";

/**
 * Weights of the sentiment classifier, written by \`bench/sentiment-train.ts\`; not for editing by hand.
 *
 * Learned from one half, chosen by hash of the text, of two sets of labelled headlines and posts, both under the
 * MIT License:
${counts.join("\n")}
 *
 * - Twitter Financial News Sentiment 1.0.0, zeroshot/twitter-financial-news-sentiment on Hugging Face, "released
 *   under the MIT License" by its card.
 * - SEntFiN 1.0, github.com/pyRis/SEntFiN, Copyright (c) 2021 Ankur Sinha, Satishwar Kedas, Rishu Kumar, Pekka
 *   Malo; A. Sinha et al., JASIST 73 (2022) 1314-1335.
 *
 * The file holds no text: hashes of words and pairs of words that are no names, and numbers.
 */
export const WEIGHTS: PackedModel = ${body};
`;
const path = new URL("../src/core/sentiment/weights.ts", import.meta.url);
writeFileSync(path, source);
process.stdout.write(
  `${grams.length / 8} grams, ${source.length} bytes, temperature ${packed.temperature}\n`,
);
