import { type Classifier, classify, type LearnedTerm, type Probabilities } from "./classifier.js";
import { featuresOf } from "./features.js";
import type { Token } from "./tokens.js";
import { type Hit, hitsOf } from "./weigh.js";

export type Polarity = "positive" | "neutral" | "negative";

/** How often labels of lexicon scores were right: the first row whose `below` exceeds the score's size holds. */
export type HitRates = readonly { readonly below: number; readonly rate: number; readonly texts: number }[];

/** What scoring needs besides the text; `SHIPPED` of `shipped.ts` is the project's own. */
export interface ScoreModel {
  /** Null leaves the lexicon alone to judge. */
  readonly classifier: Classifier | null;
  /** Measured hit rates of the lexicon's labels. */
  readonly hitRates: HitRates;
}

/** A word or pair that the classifier learned to weigh; its share of the log-odds of good against bad news. */
export interface LearnedHit {
  readonly term: string;
  readonly start: number;
  readonly end: number;
  readonly weight: number;
}

export interface Judgement {
  /** -1 bad news .. 1 good news: P(positive) - P(negative), or the lexicon's squashed sum. */
  readonly score: number;
  readonly label: Polarity;
  /** Measured probability that the label is right, 0..1; null when the text has no word the model knows. */
  readonly confidence: number | null;
  readonly probabilities: Probabilities | null;
}

/** A judgement with what it rests on. */
export interface Judged {
  readonly judgement: Judgement;
  /** The lexicon's terms in order of the text. */
  readonly hits: readonly Hit[];
  /** The grams that moved the classifier most, strongest first. */
  readonly learned: readonly LearnedHit[];
  readonly lexiconScore: number;
}

/** Size of a lexicon score from which a text is good or bad news; chosen on the training half. */
export const LEXICON_THRESHOLD = 0.5;
/** Weight per sentence at which the score is 1/sqrt(2); one clear term (1.5) scores 0.6. */
const SQUASH = 2;
const MAX_LEARNED = 8;
/** Longest text, in tokens, that is judged as one: the classifier has seen headlines and posts only. */
const MAX_AT_ONCE = 64;

/** Squashes a sum of weights into (-1, 1); long texts need more to reach the same score. */
export function squash(sum: number, sentences: number): number {
  return sum / Math.sqrt(sum * sum + SQUASH * SQUASH * Math.max(1, sentences));
}

function sentencesIn(tokens: readonly Token[]): number {
  let count = 0;
  let words = 0;
  for (const token of tokens) {
    if (token.kind !== "stop") words++;
    else if (".!?".includes(token.norm) && words > 0) {
      count++;
      words = 0;
    }
  }
  return words > 0 ? count + 1 : count;
}

const sumOf = (hits: readonly Hit[]) => hits.reduce((total, hit) => total + hit.weight, 0);

/** Lexicon hits and score of some tokens of a text. */
export function judgeByLexicon(text: string, tokens: readonly Token[]): { hits: Hit[]; score: number } {
  const hits = hitsOf(text, tokens);
  return { hits, score: squash(sumOf(hits), sentencesIn(tokens)) };
}

function judgementOfLexicon(tokens: readonly Token[], score: number, rates: HitRates): Judgement {
  const polar = score > 0 ? "positive" : "negative";
  const words = tokens.some((token) => token.kind === "word" && /^[a-z']{2,}$/.test(token.norm));
  return {
    score,
    label: Math.abs(score) < LEXICON_THRESHOLD ? "neutral" : polar,
    confidence: words ? (rates.find((row) => Math.abs(score) < row.below)?.rate ?? null) : null,
    probabilities: null,
  };
}

/** Sentences, and pieces of sentences longer than what is judged as one. */
function partsOf(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [];
  let part: Token[] = [];
  for (const token of tokens) {
    part.push(token);
    const ends = token.kind === "stop" && ".!?".includes(token.norm);
    if (!ends && part.length < MAX_AT_ONCE) continue;
    parts.push(part);
    part = [];
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

interface Classified {
  readonly hits: readonly Hit[];
  readonly probabilities: Probabilities;
  readonly terms: readonly LearnedHit[];
  /** Whether the part holds a word the model knows. */
  readonly known: boolean;
}

function classifyPart(text: string, tokens: readonly Token[], classifier: Classifier): Classified {
  const { hits, score } = judgeByLexicon(text, tokens);
  const { probabilities, terms } = classify(classifier, featuresOf(tokens, hits, score));
  return {
    hits,
    probabilities,
    terms: terms.map((term) => learnedHit(text, tokens, term)),
    known: hits.length > 0 || terms.some((term) => tokens[term.first].kind === "word"),
  };
}

function learnedHit(text: string, tokens: readonly Token[], { first, end, weight }: LearnedTerm): LearnedHit {
  const span = { start: tokens[first].start, end: tokens[end - 1].end };
  return { term: text.slice(span.start, span.end), ...span, weight };
}

/** Long texts say what their sentences say on average; sentences without a known word have no say. */
function judgementOfParts(parts: readonly Classified[]): Judgement {
  const known = parts.filter((part) => part.known);
  if (known.length === 0) return { score: 0, label: "neutral", confidence: null, probabilities: null };
  const mean = (of: keyof Probabilities) =>
    known.reduce((sum, part) => sum + part.probabilities[of], 0) / known.length;
  const probabilities = { negative: mean("negative"), neutral: mean("neutral"), positive: mean("positive") };
  const { negative, neutral, positive } = probabilities;
  const confidence = Math.max(negative, neutral, positive);
  const label = confidence === neutral ? "neutral" : confidence === positive ? "positive" : "negative";
  return { score: positive - negative, label, confidence, probabilities };
}

/** Judges some tokens of a text, which may be all of them. */
export function judge(text: string, tokens: readonly Token[], model: ScoreModel): Judged {
  const { classifier } = model;
  if (classifier === null) {
    const { hits, score } = judgeByLexicon(text, tokens);
    return {
      judgement: judgementOfLexicon(tokens, score, model.hitRates),
      hits,
      learned: [],
      lexiconScore: score,
    };
  }
  const parts = (tokens.length <= MAX_AT_ONCE ? [tokens] : partsOf(tokens)).map((part) =>
    classifyPart(text, part, classifier),
  );
  const hits = parts.flatMap((part) => part.hits);
  const learned = parts
    .flatMap((part) => part.terms)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || a.start - b.start)
    .slice(0, MAX_LEARNED);
  return {
    judgement: judgementOfParts(parts),
    hits,
    learned,
    lexiconScore: squash(sumOf(hits), sentencesIn(tokens)),
  };
}
