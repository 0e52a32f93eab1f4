import type { Aliases } from "../../core/sentiment/entities.js";
import type { Judgement } from "../../core/sentiment/judge.js";
import { TERM_GROUPS } from "../../core/sentiment/lexicon/index.js";
import { scoreText } from "../../core/sentiment/score.js";
import { SHIPPED } from "../../core/sentiment/shipped.js";
import { WEIGHTS } from "../../core/sentiment/weights.js";
import { sha256 } from "../../platform/sha256.js";

/** What a model says of a text. */
export interface ScoredText {
  readonly whole: Judgement;
  /** By symbol as the text names it; what is not there is judged as the text as a whole. */
  readonly symbols: ReadonlyMap<string, Judgement>;
  /** Terms of the lexicon that it holds, in lower case. */
  readonly terms: readonly string[];
}

export interface SentimentModel {
  /** Changes whenever a score may change. */
  readonly version: string;
  readonly method: "lexicon and classifier" | "onnx";
  score(text: string, aliases: Aliases): Promise<ScoredText>;
}

/** What is known of the classifier that SENTIMENT_MODEL_PATH names. */
export interface ClassifierState {
  readonly configured: boolean;
  readonly available: boolean;
  /** Why it is not used; null where it is. */
  readonly reason: string | null;
}

const MAX_TERMS = 40;
const MAX_TERM = 60;

export function termsOf(text: string, aliases: Aliases): string[] {
  return uniqueTerms(scoreText(text, SHIPPED, aliases).hits);
}

function uniqueTerms(hits: readonly { readonly term: string }[]): string[] {
  return [...new Set(hits.map(({ term }) => term.toLowerCase().slice(0, MAX_TERM)))].slice(0, MAX_TERMS);
}

/** Lexicon and classifier of the project: pure, the same for ever under one version. */
export function createOwnModel(): SentimentModel {
  const contents = JSON.stringify([WEIGHTS, TERM_GROUPS]);
  return {
    version: `tx-${sha256(contents).slice(0, 12)}`,
    method: "lexicon and classifier",
    async score(text, aliases) {
      const { hits, entities, ...whole } = scoreText(text, SHIPPED, aliases);
      return {
        whole,
        symbols: new Map(entities.map((entity) => [entity.symbol, entity])),
        terms: uniqueTerms(hits),
      };
    },
  };
}
