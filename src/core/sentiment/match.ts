import { type Element, MAX_GAP, type TermGroup } from "./lexicon/define.js";
import { LEXICON, type Phrase } from "./lexicon/index.js";
import type { Token } from "./tokens.js";

/** A term seen in a text, before its surroundings weigh in; token indexes [first, end). */
export interface Match {
  readonly first: number;
  readonly end: number;
  readonly weight: number;
  /** Name of the term's group, or of the rule for numbers. */
  readonly group: string;
  /** Index of the metric that a move was taken to be about, or -1. */
  readonly metric: number;
}

/** Words behind which a new thought begins, so that no metric is looked for beyond them. */
const BARRIERS = new Set(
  "as after amid on despite while and but by to at from over when if for with following before since".split(
    " ",
  ),
);
/** How far a move looks for its metric, in tokens. */
const REACH = 4;
/** Moves that stand before what moves ("higher input costs"). */
const ADJECTIVE = /^(higher|lower|.+ing)$/;

function accepts(element: Element, token: Token): boolean {
  if (element === null) return true;
  return token.kind === "number" ? element.has("#") : element.has(token.norm);
}

/** Index behind the phrase's last token when its elements from `element` on match at `at`, or -1; longest first. */
function phraseEnd(
  tokens: readonly Token[],
  at: number,
  elements: readonly Element[],
  element: number,
): number {
  if (element === elements.length) return at;
  const wanted = elements[element] ?? null;
  if (wanted !== null) {
    if (at >= tokens.length || !accepts(wanted, tokens[at])) return -1;
    return phraseEnd(tokens, at + 1, elements, element + 1);
  }
  for (let gap = MAX_GAP; gap >= 0; gap--) {
    if (at + gap >= tokens.length) continue;
    if (tokens.slice(at, at + gap).some((token) => token.kind === "stop")) continue;
    const end = phraseEnd(tokens, at + gap, elements, element + 1);
    if (end >= 0) return end;
  }
  return -1;
}

function longestPhrase(tokens: readonly Token[], at: number): { phrase: Phrase; end: number } | null {
  const token = tokens[at];
  const key = token.kind === "number" ? "#" : token.norm;
  let best: { phrase: Phrase; end: number } | null = null;
  for (const phrase of LEXICON.phrases.get(key) ?? []) {
    const end = phraseEnd(tokens, at, phrase.elements, 0);
    if (end > (best?.end ?? at)) best = { phrase, end };
  }
  return best;
}

/** State of one text's matching. */
class Matcher {
  private readonly tokens: readonly Token[];
  private readonly matches: Match[] = [];
  /** 1 where a token has been used by a phrase or as the metric of a move. */
  private readonly used: Uint8Array;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
    this.used = new Uint8Array(tokens.length);
  }

  run(): Match[] {
    this.matchPhrases();
    this.matchMoves((token) => !LEXICON.metric.has(token.norm));
    this.matchMoves((token) => LEXICON.metric.has(token.norm));
    this.matchNumbers();
    this.matchWords();
    return this.matches.sort((a, b) => a.first - b.first);
  }

  private matchPhrases(): void {
    for (let i = 0; i < this.tokens.length; i++) {
      const found = longestPhrase(this.tokens, i);
      if (found === null) continue;
      const { group } = found.phrase;
      this.used.fill(1, i, found.end);
      if (group.role === "move") this.addMove(i, found.end, group);
      else if (group.role === "polar") this.add(i, found.end, group.weight, group.name);
      i = found.end - 1;
    }
  }

  private matchMoves(wanted: (token: Token) => boolean): void {
    for (let i = 0; i < this.tokens.length; i++) {
      const token = this.tokens[i];
      const group = token.kind === "word" ? LEXICON.move.get(token.norm) : undefined;
      if (group === undefined || this.used[i] === 1 || !wanted(token)) continue;
      this.used[i] = 1;
      this.addMove(i, i + 1, group);
    }
  }

  private addMove(first: number, end: number, group: TermGroup): void {
    const metric = this.metricOf(first, end, group.object === true);
    const size = this.percentAfter(end);
    let weight = group.weight * (1 + Math.min(size, 20) / 40);
    weight *= metric < 0 ? (group.alone ?? 1) : this.signOfMetric(metric);
    this.add(first, end, weight, group.name, metric);
  }

  /** The nearest metric a move can be about: its object, what "in" or "of" names, or its subject. */
  private metricOf(first: number, end: number, object: boolean): number {
    const joins = /^(in|of)$/.test(this.tokens[end]?.norm ?? "");
    const adjective = ADJECTIVE.test(this.tokens[first].norm);
    const ahead = object ? REACH : joins ? 3 : adjective ? 2 : 1;
    const from = joins ? end + 1 : end;
    return this.scan(from, end + ahead, 1) ?? this.scan(first - 1, first - 1 - REACH, -1) ?? -1;
  }

  private scan(from: number, to: number, step: 1 | -1): number | null {
    for (let j = from; j !== to && j >= 0 && j < this.tokens.length; j += step) {
      const token = this.tokens[j];
      if (token.kind === "stop" || BARRIERS.has(token.norm)) return null;
      if (token.kind === "word" && LEXICON.metric.has(token.norm)) return j;
    }
    return null;
  }

  /** -1 when any of the metrics side by side here is one of which more is bad ("net loss", "loss forecast"). */
  private signOfMetric(metric: number): number {
    const isMetric = (j: number) => LEXICON.metric.has(this.tokens[j]?.norm ?? "");
    let from = metric;
    let to = metric;
    while (from > 0 && metric - from < REACH && isMetric(from - 1)) from--;
    while (to - metric < REACH && isMetric(to + 1)) to++;
    let sign = 1;
    for (let j = from; j <= to; j++) {
      sign = Math.min(sign, LEXICON.metric.get(this.tokens[j].norm)?.weight ?? 1);
      this.used[j] = 1;
    }
    return sign;
  }

  /** The unsigned percentage within three tokens, or 0. */
  private percentAfter(end: number): number {
    for (let j = end; j < Math.min(end + 3, this.tokens.length); j++) {
      const token = this.tokens[j];
      if (token.kind === "stop") return 0;
      if (token.kind === "number" && token.unit === "percent") {
        this.used[j] = 1;
        return Number.isFinite(token.value) ? Math.abs(token.value) : 0;
      }
    }
    return 0;
  }

  /** "+2.6%" by itself, and "3.22 vs 3.32". */
  private matchNumbers(): void {
    for (let i = 0; i < this.tokens.length; i++) {
      const token = this.tokens[i];
      if (token.kind === "number" && token.unit === "percent" && token.signed && this.used[i] === 0) {
        const size = 1.2 + Math.min(Math.abs(token.value), 20) / 15;
        if (token.value !== 0 && Number.isFinite(token.value))
          this.add(i, i + 1, Math.sign(token.value) * size, "signed percentages");
      } else if (token.norm === "vs" || token.norm === "versus") this.matchComparison(i);
    }
  }

  private matchComparison(at: number): void {
    const before = this.numberNear(at - 1, at - 5, -1);
    const after = this.numberNear(at + 1, at + 4, 1);
    if (before < 0 || after < 0) return;
    const ratio = this.tokens[before].value / this.tokens[after].value;
    // Beyond a factor of five the two are not of one kind, or lack a word such as "billion".
    if (!(ratio > 0.2 && ratio < 5) || ratio === 1) return;
    const metric = this.scan(before - 1, before - 1 - REACH, -1) ?? -1;
    const sign = metric < 0 ? 1 : this.signOfMetric(metric);
    this.add(before, after + 1, sign * (ratio > 1 ? 1 : -1), "comparisons", metric);
  }

  private numberNear(from: number, to: number, step: 1 | -1): number {
    for (let j = from; j !== to && j >= 0 && j < this.tokens.length; j += step) {
      const token = this.tokens[j];
      if (token.kind === "number") return j;
      if (token.kind === "stop" && token.norm !== ".") return -1;
    }
    return -1;
  }

  private matchWords(): void {
    for (let i = 0; i < this.tokens.length; i++) {
      const group = this.used[i] === 1 ? undefined : LEXICON.polar.get(this.tokens[i].norm);
      if (group === undefined) continue;
      // "Buy X", "Sell X": advice is a headline's first word.
      const advice = i === 0 && /^(buy|sell|short|avoid)$/.test(this.tokens[i].norm);
      this.add(i, i + 1, advice ? Math.sign(group.weight) * 2 : group.weight, group.name);
    }
  }

  private add(first: number, end: number, weight: number, group: string, metric = -1): void {
    this.matches.push({ first, end, weight, group, metric });
  }
}

/** Terms of the lexicon in a text, in order, without regard to negation and the like. */
export function matchesOf(tokens: readonly Token[]): Match[] {
  return new Matcher(tokens).run();
}
