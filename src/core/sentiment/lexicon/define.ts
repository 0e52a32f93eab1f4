/**
 * What a term does to a text.
 *
 * - `polar`: good or bad news by itself.
 * - `move`: up or down; good or bad by what moves (profit up, costs up). `object` tells a verb that acts on what
 *   follows ("cuts costs") from one that tells of what went before ("costs fall").
 * - `metric`: what can move; weight 1 when more of it is good news, -1 when more is bad news.
 * - `negator`: turns the terms after it round.
 * - `scale`: multiplies the weight of the term beside it.
 * - `hedge`: multiplies the weights of its clause, since what may happen has not.
 * - `contrast`: splits a sentence; multiplies what follows, above 1 it also outweighs what went before ("but").
 * - `idiom`: means nothing by itself and keeps its words from meaning something ("set up", "up to").
 */
export type Role = "polar" | "move" | "metric" | "negator" | "scale" | "hedge" | "contrast" | "idiom";

/** Terms with one role and weight, and where they come from. */
export interface TermGroup {
  readonly name: string;
  readonly role: Role;
  /** Polar and move: signed strength, 0.5 faint to 3 severe. Scale, hedge and contrast: a factor. Others: see `Role`. */
  readonly weight: number;
  /** Why these words are here, or whose they are. */
  readonly source: string;
  /** For moves: whether the metric may follow the word. */
  readonly object?: boolean;
  /** For moves: what is left of the weight when nothing says what moved. */
  readonly alone?: number;
  /** Words separated by spaces: verbs in every form, nouns in both numbers, anything else as it stands. */
  readonly verbs?: string;
  readonly nouns?: string;
  readonly words?: string;
  /**
   * Word sequences separated by semicolons. `{beat}` stands for any form of the verb, `a|b` for either, `#` for a number and `..` for up
   * to three tokens of any kind but a stop.
   */
  readonly phrases?: string;
}

const IRREGULAR: Readonly<Record<string, string>> = {
  be: "be is are was were been being",
  beat: "beat beats beating beaten",
  bleed: "bleed bleeds bled bleeding",
  break: "break breaks broke broken breaking",
  buy: "buy buys bought buying",
  cut: "cut cuts cutting",
  fall: "fall falls fell fallen falling",
  fly: "fly flies flew flown flying",
  freeze: "freeze freezes froze frozen freezing",
  get: "get gets got getting",
  give: "give gives gave given giving",
  go: "go goes went gone going",
  grow: "grow grows grew grown growing",
  hit: "hit hits hitting",
  hold: "hold holds held holding",
  hurt: "hurt hurts hurting",
  keep: "keep keeps kept keeping",
  lead: "lead leads led leading",
  leap: "leap leaps leapt leaped leaping",
  lose: "lose loses lost losing",
  make: "make makes made making",
  overcome: "overcome overcomes overcame overcoming",
  pay: "pay pays paid paying",
  put: "put puts putting",
  rise: "rise rises rose risen rising",
  see: "see sees saw seen seeing",
  sell: "sell sells sold selling",
  set: "set sets setting",
  shed: "shed sheds shedding",
  shrink: "shrink shrinks shrank shrunk shrinking",
  sink: "sink sinks sank sunk sinking",
  slide: "slide slides slid sliding",
  spend: "spend spends spent spending",
  stick: "stick sticks stuck sticking",
  strike: "strike strikes struck striking",
  sue: "sue sues sued suing",
  sweep: "sweep sweeps swept sweeping",
  swing: "swing swings swung swinging",
  take: "take takes took taken taking",
  win: "win wins won winning",
  withdraw: "withdraw withdraws withdrew withdrawn withdrawing",
};
/** Verbs of more than one syllable, or ending in w, x or y, that keep their last consonant single. */
const SINGLE = new Set(
  "widen weaken soften tighten broaden strengthen worsen lessen falter recover suffer lower deliver differ linger bolster master profit benefit rebound".split(
    " ",
  ),
);

/** Every form of an English verb: base, third person, past, participles. */
export function formsOfVerb(verb: string): readonly string[] {
  const irregular = IRREGULAR[verb];
  if (irregular !== undefined) return irregular.split(" ");
  if (/[^aeiou]y$/.test(verb)) {
    const stem = verb.slice(0, -1);
    return [verb, `${stem}ies`, `${stem}ied`, `${verb}ing`];
  }
  if (verb.endsWith("e")) return [verb, `${verb}s`, `${verb}d`, `${verb.slice(0, -1)}ing`];
  const third = /(s|x|z|ch|sh)$/.test(verb) ? `${verb}es` : `${verb}s`;
  const doubles = /(^|[^aeiou])[aeiou][^aeiouwxy]$/.test(verb) && !SINGLE.has(verb);
  const stem = doubles ? verb + verb.slice(-1) : verb;
  return [verb, third, `${stem}ed`, `${stem}ing`];
}

/** Singular and regular plural. */
export function formsOfNoun(noun: string): readonly string[] {
  if (/[^aeiou]y$/.test(noun)) return [noun, `${noun.slice(0, -1)}ies`];
  return [noun, /(s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`];
}

function wordsOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(/\s+/).filter((word) => word !== "");
}

/** The single words of a group, in every form. */
export function formsOf(group: TermGroup): readonly string[] {
  return [
    ...wordsOf(group.verbs).flatMap(formsOfVerb),
    ...wordsOf(group.nouns).flatMap(formsOfNoun),
    ...wordsOf(group.words),
  ];
}

export function phrasesOf(group: TermGroup): readonly string[] {
  return (group.phrases ?? "")
    .split(";")
    .map((phrase) => phrase.trim().replace(/\s+/g, " "))
    .filter((phrase) => phrase !== "");
}

/** An element of a phrase: the words it accepts; null accepts a gap, "#" in the set a number. */
export type Element = ReadonlySet<string> | null;

/** Longest gap that `..` stands for, in tokens. */
export const MAX_GAP = 3;

export function elementsOf(phrase: string): readonly Element[] {
  return phrase.split(" ").map((element) => {
    if (element === "..") return null;
    return new Set(
      element.split("|").flatMap((choice) => {
        const verb = /^\{(.+)\}$/.exec(choice)?.[1];
        return verb === undefined ? [choice] : formsOfVerb(verb);
      }),
    );
  });
}
