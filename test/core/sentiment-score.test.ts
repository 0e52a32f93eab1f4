import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aliasesOf, mentionsOf } from "../../src/core/sentiment/entities.js";
import { squash } from "../../src/core/sentiment/judge.js";
import { scoreText, type TextSentiment } from "../../src/core/sentiment/score.js";
import { LEXICON_ONLY, SHIPPED } from "../../src/core/sentiment/shipped.js";
import { tokensOf } from "../../src/core/sentiment/tokens.js";
import { sized } from "../fixtures/sizes.js";

const MODELS = [
  ["lexicon", LEXICON_ONLY],
  ["classifier", SHIPPED],
] as const;

const aliases = aliasesOf([
  ["AAPL", ["Apple", "Apple Inc"]],
  ["MSFT", ["Microsoft"]],
  ["MMM", ["3M"]],
  ["BAC", ["Bank of America"]],
]);

describe.each(MODELS)("score by %s", (method, model) => {
  const label = (text: string) => scoreText(text, model).label;

  it("tells good news from bad news and from none", () => {
    expect(label("Company beats estimates and raises guidance, shares jump 8%")).toBe("positive");
    expect(label("Company misses estimates and cuts guidance, shares plunge 8%")).toBe("negative");
    expect(label("Company appoints a new finance chief")).toBe("neutral");
  });

  it("says how it judged, and shows the terms where they stand", () => {
    const text = "Profit jumps as costs fall";
    const result = scoreText(text, model);
    expect(result.method).toBe(method);
    expect(result.hits.map((hit) => hit.term)).toEqual(["jumps", "fall"]);
    for (const hit of [...result.hits, ...result.learned]) {
      expect(text.slice(hit.start, hit.end)).toBe(hit.term);
    }
  });

  it.each(["", "   ", "https://t.co/x @you", "$AAPL", "!!! ???", "利益が増えた"])(
    "makes up no confidence for %j",
    (text) => {
      expect(scoreText(text, model)).toMatchObject({ score: 0, label: "neutral", confidence: null });
    },
  );

  it("stays in its ranges and repeats itself on any text", () => {
    const word = fc.constantFrom(
      "profit",
      "up",
      "not",
      "falls",
      "but",
      "5%",
      "-3%",
      "beats",
      "$A",
      "?",
      ",",
      "loss",
      "🚀",
      "vs",
      "very",
    );
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.array(word, { maxLength: 90 }).map((all) => all.join(" ")),
    );
    fc.assert(
      fc.property(text, (sample) => {
        const result = scoreText(sample, model, aliases);
        expect(Math.abs(result.score)).toBeLessThanOrEqual(1);
        expect(result.confidence ?? 0.5).toBeGreaterThan(0);
        expect(result.confidence ?? 0.5).toBeLessThanOrEqual(1);
        if (result.label === "positive") expect(result.score).toBeGreaterThan(0);
        if (result.label === "negative") expect(result.score).toBeLessThan(0);
        const sum = result.hits.reduce((total, hit) => total + hit.weight, 0);
        expect(Math.sign(result.lexiconScore)).toBe(Math.sign(squash(sum, 1)));
        expect(scoreText(sample, model, aliases)).toEqual(result);
      }),
    );
  });

  it("reads a long text by its sentences", () => {
    const good = "Quarterly profit jumped 20% and beat estimates. ".repeat(30);
    const mixed = good + "Quarterly profit plunged 20% and missed estimates. ".repeat(30);
    expect(scoreText(good, model).label).toBe("positive");
    expect(Math.abs(scoreText(mixed, model).score)).toBeLessThan(0.3);
  });
});

describe("squash", () => {
  it("asks more of longer texts and keeps the sign", () => {
    expect(squash(2, 1)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(squash(2, 4)).toBeLessThan(squash(2, 1));
    expect(squash(-2, 1)).toBe(-squash(2, 1));
    expect(squash(0, 0)).toBe(0);
  });
});

describe("mentions", () => {
  const found = (text: string) =>
    mentionsOf(text, tokensOf(text), aliases).map(({ symbol, by, start, end }) => [
      symbol,
      by,
      text.slice(start, end),
    ]);

  it.each([
    [
      "$AAPL and $BRK.B",
      [
        ["AAPL", "ticker", "$AAPL"],
        ["BRK.B", "ticker", "$BRK.B"],
      ],
    ],
    ["IBM (NYSE: IBM) said", [["IBM", "exchange", "NYSE: IBM"]]],
    ["Ford (NYSE:F) said", [["F", "exchange", "NYSE:F"]]],
    ["(NYSE:BRK.B)", [["BRK.B", "exchange", "NYSE:BRK.B"]]],
    ["(NASDAQ: none)", []],
    ["Apple Inc. and apple pie", [["AAPL", "alias", "Apple Inc"]]],
    ["Bank of America, not Bank of India", [["BAC", "alias", "Bank of America"]]],
    ["Microsoft's cloud", [["MSFT", "alias", "Microsoft's"]]],
    ["MICROSOFT rose", [["MSFT", "alias", "MICROSOFT"]]],
    ["Pineapple", []],
  ])("of %j", (text, expected) => {
    expect(found(text)).toEqual(expected);
  });
});

describe("entities", () => {
  const signs = (result: TextSentiment) =>
    Object.fromEntries(
      result.entities.map(({ symbol, score }) => [symbol, Math.abs(score) < 0.2 ? 0 : Math.sign(score)]),
    );

  it.each([
    ["Apple beats estimates; Microsoft misses estimates", { AAPL: 1, MSFT: -1 }],
    ["Apple shares jump while Microsoft shares tumble", { AAPL: 1, MSFT: -1 }],
    ["Apple rallies, Microsoft slumps", { AAPL: 1, MSFT: -1 }],
    ["Apple and Microsoft shares slump", { AAPL: -1, MSFT: -1 }],
    ["Apple beats profit estimates, cuts nothing", { AAPL: 1 }],
    ["Apple, Microsoft among those that slump", { AAPL: -1, MSFT: -1 }],
  ])("take the statement that names them: %s", (text, expected) => {
    expect(signs(scoreText(text, LEXICON_ONLY, aliases))).toEqual(expected);
  });

  it("share one row when named twice, judged by what says most", () => {
    const { entities } = scoreText("Apple met analysts. Apple profit jumps 20%.", LEXICON_ONLY, aliases);
    expect(entities).toHaveLength(1);
    expect(entities[0]?.mentions).toHaveLength(2);
    expect(entities[0]?.label).toBe("positive");
  });

  it("are none without mentions", () => {
    expect(scoreText("Profit jumps", SHIPPED, aliases).entities).toEqual([]);
  });
});

const SIZE = sized({ usual: 262_144, full: 1_048_576 });

describe(`${SIZE} characters of anything`, () => {
  const parts = `a|$|1|-|'|a'|a.|1,|$A |http://|@|🚀|\ud800|up |not |beats |raise |5% |+1% |1 vs |. |, |but |loss |very |Apple |NYSE: |\n|é|up 5% |$A up as |Apple up, `;
  const timed = (work: () => void) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };

  // A quarter of a second for a megabyte on a free core; the bounds leave room for a busy machine and fail on quadratic work.
  it.each(parts.split("|"))("%j is split and scored in time", (part) => {
    const text = part.repeat(Math.ceil(SIZE / part.length));
    expect(timed(() => tokensOf(text))).toBeLessThan(4_000);
    expect(timed(() => scoreText(text, SHIPPED, aliases))).toBeLessThan(4_000);
  });
});
