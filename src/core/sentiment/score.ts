import { type Aliases, type Mention, mentionsOf } from "./entities.js";
import { type Judged, type Judgement, judge, type LearnedHit, type ScoreModel } from "./judge.js";
import { type Span, statementsOf } from "./segments.js";
import { type Token, tokensOf } from "./tokens.js";
import type { Hit } from "./weigh.js";

export interface EntitySentiment extends Judgement {
  readonly symbol: string;
  readonly mentions: readonly Mention[];
}

export interface TextSentiment extends Judgement {
  readonly method: "classifier" | "lexicon";
  /** The lexicon's terms in order of the text; their weights sum to what `lexiconScore` squashes. */
  readonly hits: readonly Hit[];
  /** The grams that moved the classifier most, strongest first; empty for the lexicon alone. */
  readonly learned: readonly LearnedHit[];
  readonly lexiconScore: number;
  /** One row per symbol, in order of first mention, judged by the statements that mention it. */
  readonly entities: readonly EntitySentiment[];
}

/** Characters that are read; articles are shorter. */
export const MAX_CHARACTERS = 100_000;

/**
 * What a text says of its subject, and of each instrument it mentions. Of texts longer than `MAX_CHARACTERS` the
 * beginning is read.
 *
 * @param aliases names of instruments to look for besides `$AAPL` and `(NASDAQ: AAPL)`, from `aliasesOf`
 */
export function scoreText(whole: string, model: ScoreModel, aliases: Aliases = new Map()): TextSentiment {
  const text = whole.slice(0, MAX_CHARACTERS);
  const tokens = tokensOf(text);
  const judged = judge(text, tokens, model);
  const mentions = mentionsOf(text, tokens, aliases);
  return {
    ...judged.judgement,
    method: model.classifier === null ? "lexicon" : "classifier",
    hits: judged.hits,
    learned: judged.learned,
    lexiconScore: judged.lexiconScore,
    entities: mentions.length === 0 ? [] : entitiesOf(text, tokens, mentions, judged, model),
  };
}

function entitiesOf(
  text: string,
  tokens: readonly Token[],
  mentions: readonly Mention[],
  whole: Judged,
  model: ScoreModel,
): EntitySentiment[] {
  const starts = new Set(whole.hits.map((hit) => hit.start));
  const hitTokens = new Set([...tokens.keys()].filter((i) => starts.has(tokens[i].start)));
  const statements = statementsOf(tokens, new Set(mentions.map((mention) => mention.first)), hitTokens);
  const judged = new Map<Span, Judgement>();
  const bySymbol = new Map<string, { mentions: Mention[]; spans: Set<Span> }>();
  let at = 0;
  for (const mention of mentions) {
    while (statements[at].end <= mention.first) at++;
    const entry = bySymbol.get(mention.symbol) ?? { mentions: [], spans: new Set() };
    entry.mentions.push(mention);
    entry.spans.add(statements[at]);
    bySymbol.set(mention.symbol, entry);
  }
  const judgementAt = (span: Span) => {
    if (statements.length === 1) return whole.judgement;
    const known = judged.get(span) ?? judge(text, tokens.slice(span.first, span.end), model).judgement;
    judged.set(span, known);
    return known;
  };
  return [...bySymbol].map(([symbol, entry]) => ({
    symbol,
    mentions: entry.mentions,
    ...strongest([...entry.spans].map(judgementAt)),
  }));
}

/** Of several statements about one instrument, the one that says most. */
function strongest(judgements: readonly Judgement[]): Judgement {
  return judgements.reduce((best, next) => (Math.abs(next.score) > Math.abs(best.score) ? next : best));
}
