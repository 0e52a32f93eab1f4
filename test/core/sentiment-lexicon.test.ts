import { describe, expect, it } from "vitest";
import { formsOf, formsOfVerb } from "../../src/core/sentiment/lexicon/define.js";
import { LEXICON, TERM_GROUPS } from "../../src/core/sentiment/lexicon/index.js";
import { scoreText } from "../../src/core/sentiment/score.js";
import { LEXICON_ONLY } from "../../src/core/sentiment/shipped.js";

const score = (text: string) => scoreText(text, LEXICON_ONLY).score;

describe("verbs", () => {
  it.each([
    ["drop", "drop drops dropped dropping"],
    ["raise", "raise raises raised raising"],
    ["rally", "rally rallies rallied rallying"],
    ["crash", "crash crashes crashed crashing"],
    ["widen", "widen widens widened widening"],
    ["gain", "gain gains gained gaining"],
    ["fall", "fall falls fell fallen falling"],
    ["slow", "slow slows slowed slowing"],
    ["plunge", "plunge plunges plunged plunging"],
    ["plan", "plan plans planned planning"],
  ])("%s has its forms", (verb, forms) => {
    expect(formsOfVerb(verb)).toEqual(forms.split(" "));
  });
});

describe("lexicon", () => {
  it("has a source for every group and a name of its own", () => {
    for (const group of TERM_GROUPS) expect(group.source.length, group.name).toBeGreaterThan(10);
    expect(new Set(TERM_GROUPS.map(({ name }) => name)).size).toBe(TERM_GROUPS.length);
  });

  it("has no word that is good news in one group and bad in another", () => {
    const sides = new Map<string, number>();
    const torn: string[] = [];
    for (const group of TERM_GROUPS) {
      if (group.role !== "polar") continue;
      for (const form of new Set(formsOf(group))) {
        const side = Math.sign(group.weight);
        if ((sides.get(form) ?? side) !== side) torn.push(form);
        sides.set(form, side);
      }
    }
    expect(torn).toEqual([]);
  });

  it("has no word twice in one role", () => {
    const twice: string[] = [];
    const seen = new Set<string>();
    for (const group of TERM_GROUPS) {
      for (const form of new Set(formsOf(group))) {
        const key = `${group.role} ${form}`;
        if (seen.has(key)) twice.push(`${key} in ${group.name}`);
        seen.add(key);
      }
    }
    expect(twice).toEqual([]);
  });

  it("has phrases that begin and end with words", () => {
    for (const phrases of LEXICON.phrases.values()) {
      for (const { elements } of phrases) {
        expect(elements.length).toBeGreaterThan(1);
        expect(elements[0]).not.toBeNull();
        expect(elements.at(-1)).not.toBeNull();
      }
    }
  });
});

describe("what moves decides whether a move is good", () => {
  it.each([
    "Profit rises 12% in the quarter",
    "Q3 net loss narrows to $3 million",
    "Costs fall for a third month",
    "Company cuts debt",
    "Inflation eases",
    "Jobless claims drop",
    "Unemployment down",
    "Growth in sales",
    "Margins widen",
    "Company raises full-year guidance",
    "Dividend lifted by the board",
    "Concerns ease",
    "Shares of X rally",
  ])("good: %s", (text) => {
    expect(score(text)).toBeGreaterThan(0.3);
  });

  it.each([
    "Profit falls 12% in the quarter",
    "Q3 net loss widens to $3 million",
    "Higher input costs",
    "Debt rises",
    "Inflation accelerates",
    "Jobless claims jump",
    "Drop in revenue",
    "Margins narrow",
    "Company cuts full-year guidance",
    "Fears grow",
    "Provisions surge at the bank",
    "Shares of X slide",
  ])("bad: %s", (text) => {
    expect(score(text)).toBeLessThan(-0.3);
  });

  it("by the words used", () => {
    const [hit] = scoreText("Costs fall", LEXICON_ONLY).hits;
    expect(hit).toMatchObject({ term: "fall", start: 6, end: 10, metric: "costs", negated: false });
    expect(hit?.weight).toBeGreaterThan(0);
  });
});

describe("phrases", () => {
  it.each([
    ["X beats earnings estimates", 1],
    ["X EPS beats by $0.06", 1],
    ["X misses quarterly consensus", -1],
    ["X upgraded to buy from hold at Y", 1],
    ["X downgraded to hold from buy at Y", -1],
    ["Price target raised to $32 from $24", 1],
    ["Price target cut to $5 from $6", -1],
    ["X hits 52-week low", -1],
    ["X at record high", 1],
    ["X files for bankruptcy", -1],
    ["FDA approval for X", 1],
    ["X announces share buyback", 1],
    ["Buy X with a target of Rs 200", 1],
    ["Sell X with a target of Rs 200", -1],
    ["X -4.2% on soft guidance", -1],
    ["X +3% premarket", 1],
    ["Q4 EPS 32 cents vs. 30 cents a year ago", 1],
    ["Q4 sales $3.22 bln vs. $3.32 bln a year ago", -1],
    ["Q4 loss 32 cents vs. 30 cents a year ago", -1],
  ])("%s", (text, sign) => {
    expect(Math.sign(score(text))).toBe(sign);
    expect(Math.abs(score(text))).toBeGreaterThan(0.25);
  });

  it.each([
    "Company sets up office",
    "X to raise Rs 500 crore",
    "Up to 400 workers at the plant",
    "CEO steps down",
    "Hedge fund manager speaks",
    "Capital gains tax explained",
    "Three stocks to watch",
    "The meeting is on Monday",
    "X declares $0.12 dividend",
  ])("that mean nothing by themselves: %s", (text) => {
    expect(Math.abs(score(text))).toBeLessThan(0.4);
  });
});

describe("surroundings", () => {
  it("negation turns a term round, but not wholly", () => {
    expect(score("X is not bullish")).toBeLessThan(0);
    expect(score("X is not bullish")).toBeGreaterThan(score("X is bearish"));
    expect(score("X isn't profitable")).toBeLessThan(0);
    expect(score("no weak quarter")).toBeGreaterThan(0);
  });

  it("negation ends with its clause", () => {
    expect(score("X did not comment, profit up")).toBeGreaterThan(0);
    expect(score("not only strong")).toBeGreaterThan(0);
  });

  it("intensifiers add and diminishers take away", () => {
    const plain = score("Shares fell");
    expect(score("Shares fell sharply")).toBeLessThan(plain);
    expect(score("Shares fell slightly")).toBeGreaterThan(plain);
    expect(score("Shares fell slightly")).toBeLessThan(0);
  });

  it("the larger the percentage the stronger the move", () => {
    expect(score("Shares jump 15%")).toBeGreaterThan(score("Shares jump 2%"));
    expect(score("Shares jump 2%")).toBeGreaterThan(score("Shares jump"));
  });

  it("what may happen weighs less than what has", () => {
    expect(score("Shares may fall")).toBeGreaterThan(score("Shares fall"));
    expect(score("Shares may fall")).toBeLessThan(0);
    expect(score("Will profit grow strongly?")).toBeLessThan(score("Profit will grow strongly"));
  });

  it("what follows a but outweighs what went before", () => {
    expect(score("Sales were weak but profit is strong")).toBeGreaterThan(0);
    expect(score("Profit is strong but sales were weak")).toBeLessThan(0);
  });

  it("what follows a despite counts less", () => {
    expect(score("Shares rise despite weak sales")).toBeGreaterThan(0);
  });
});
