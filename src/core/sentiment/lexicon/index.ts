import { type Element, elementsOf, formsOf, phrasesOf, type TermGroup } from "./define.js";
import { MODIFIERS } from "./modifiers.js";
import { MOVES } from "./moves.js";
import { PHRASES } from "./phrases.js";
import { WORDS } from "./words.js";

/** A phrase ready to be matched; `elements` has at least two, and neither end is a gap. */
export interface Phrase {
  readonly group: TermGroup;
  readonly elements: readonly Element[];
}

/**
 * Every group of the lexicon, written for this project; no published word list was copied. Ambiguous words and the
 * weights were checked against the training halves named in `weights.ts`.
 */
export const TERM_GROUPS: readonly TermGroup[] = [...PHRASES, ...MOVES, ...MODIFIERS, ...WORDS];

function wordsWith(role: TermGroup["role"]): ReadonlyMap<string, TermGroup> {
  const found = new Map<string, TermGroup>();
  for (const group of TERM_GROUPS) {
    if (group.role !== role) continue;
    for (const form of formsOf(group)) if (!found.has(form)) found.set(form, group);
  }
  return found;
}

function phrasesByFirst(): ReadonlyMap<string, readonly Phrase[]> {
  const found = new Map<string, Phrase[]>();
  for (const group of TERM_GROUPS) {
    for (const text of phrasesOf(group)) {
      const elements = elementsOf(text);
      for (const first of elements[0] ?? []) {
        const list = found.get(first) ?? [];
        list.push({ group, elements });
        found.set(first, list);
      }
    }
  }
  return found;
}

/** The groups of single words by role, and phrases by their first word ("#" for a number). */
export const LEXICON = {
  polar: wordsWith("polar"),
  move: wordsWith("move"),
  metric: wordsWith("metric"),
  negator: wordsWith("negator"),
  scale: wordsWith("scale"),
  hedge: wordsWith("hedge"),
  contrast: wordsWith("contrast"),
  phrases: phrasesByFirst(),
} as const;
