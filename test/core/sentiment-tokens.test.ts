import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Token, tokensOf } from "../../src/core/sentiment/tokens.js";

const norms = (text: string, kind: Token["kind"]) =>
  tokensOf(text)
    .filter((token) => token.kind === kind)
    .map((token) => token.norm);
const numbers = (text: string) =>
  tokensOf(text)
    .filter((token) => token.kind === "number")
    .map(({ value, unit, signed }) => [value, unit, signed]);

describe("tokens", () => {
  it.each([
    ["$AAPL and $brk.b, not $5 or $TOOLONGER", ["AAPL", "BRK.B"]],
    ["($TSLA)/$F: up", ["TSLA", "F"]],
    ["US$AAPLE1 $A1", []],
  ])("finds the tickers of %j", (text, tickers) => {
    expect(norms(text, "ticker")).toEqual(tickers);
  });

  it.each([
    ["+2.6%", [[2.6, "percent", true]]],
    ["-3.5 percent", [[-3.5, "percent", true]]],
    ["−3.5%", [[-3.5, "percent", true]]],
    ["3 pct", [[3, "percent", false]]],
    ["25bps", [[25, "basis points", false]]],
    ["$1.2bn", [[1.2e9, "money", false]]],
    ["-$0.05", [[-0.05, "money", true]]],
    ["$-0.05", [[-0.05, "money", true]]],
    ["₹667 crore", [[6.67e9, "money", false]]],
    ["1,234.5", [[1234.5, "plain", false]]],
    ["10x", [[10, "times", false]]],
    [
      "30-35 levels",
      [
        [30, "plain", false],
        [35, "plain", false],
      ],
    ],
    [".5%", [[0.5, "percent", false]]],
    ["5 b", [[5, "plain", false]]],
    ["$5.", [[5, "money", false]]],
  ])("reads the numbers of %j", (text, expected) => {
    expect(numbers(text)).toEqual(expected);
  });

  it("reads a run of digits too long for a number as NaN", () => {
    expect(numbers("9".repeat(60))).toEqual([[Number.NaN, "plain", false]]);
  });

  it("makes one word of letters joined to digits that are no unit", () => {
    expect(norms("5G 2nd 3Q19", "word")).toEqual(["5g", "2nd", "3q19"]);
  });

  it("straightens apostrophes, drops possessives and keeps contractions", () => {
    expect(norms("Apple’s don’t WON'T rock'n'roll S&P", "word")).toEqual([
      "apple",
      "don't",
      "won't",
      "rock'n'roll",
      "s&p",
    ]);
  });

  it("splits at hyphens, keeps dotted capitals", () => {
    expect(norms("record-high in the U.S. and U.K", "word")).toEqual([
      "record",
      "high",
      "in",
      "the",
      "u.s",
      "and",
      "u.k",
    ]);
  });

  it("drops addresses and handles and the # of tags", () => {
    expect(norms("see https://t.co/x?y=1 www.x.com/great @great_news #great", "word")).toEqual([
      "see",
      "great",
    ]);
  });

  it("tells how words are written", () => {
    const casings = tokensOf("apple Apple APPLE A").map((token) => token.casing);
    expect(casings).toEqual(["lower", "capital", "upper", "capital"]);
  });

  it("ends no sentence behind an abbreviation", () => {
    expect(norms("Apple Inc. rose. Then", "stop")).toEqual(["."]);
  });

  it("reads other scripts, wide letters and pictographs", () => {
    expect(norms("Übernahme ＢＥＡＴＳ прибыль 利益", "word")).toEqual([
      "übernahme",
      "beats",
      "прибыль",
      "利益",
    ]);
    expect(norms("🚀 x 📉", "mark")).toEqual(["🚀", "📉"]);
  });
});

describe("tokens of any text", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          "$",
          "A",
          "a",
          "1",
          ".",
          ",",
          "-",
          "'",
          "%",
          "@",
          "#",
          "http://",
          " ",
          "\n",
          "🚀",
          "\ud83d",
          "é",
        ),
        { maxLength: 200 },
      )
      .map((parts) => parts.join("")),
  );

  it("lie in order without overlaps, inside the text, and never across half a character", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        let from = 0;
        for (const token of tokensOf(text)) {
          expect(token.start).toBeGreaterThanOrEqual(from);
          expect(token.end).toBeGreaterThan(token.start);
          expect(token.end).toBeLessThanOrEqual(text.length);
          const insidePair = /[\ud800-\udbff]/.test(text.charAt(token.end - 1)) && token.end < text.length;
          expect(insidePair && /[\udc00-\udfff]/.test(text.charAt(token.end))).toBe(false);
          from = token.end;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("of two texts with a line end between are those of each", () => {
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        const words = (text: string) => tokensOf(text).filter(({ kind }) => kind !== "stop");
        const apart = [...words(a), ...words(b)].map(({ kind, norm, value }) => [kind, norm, value]);
        expect(words(`${a}\n${b}`).map(({ kind, norm, value }) => [kind, norm, value])).toEqual(apart);
      }),
    );
  });
});
