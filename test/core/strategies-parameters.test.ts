import { describe, expect, it } from "vitest";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import {
  bars,
  checkParameters,
  choice,
  gridOf,
  list,
  number,
  resolveValues,
  wordsOf,
} from "../../src/core/strategies/parameters.js";

const PARAMETERS = {
  fast: bars(20, "bars of the fast average", 2, 200),
  share: number(0.5, [0, 1, 0.1], "share of the equity"),
  side: choice(["long", "both"], "long", "which sides"),
  patterns: list(["hammer", "doji"], ["hammer"], "which patterns"),
};

describe("values", () => {
  it("are completed by defaults", () => {
    expect(resolveValues(PARAMETERS, { fast: 30 })).toEqual({
      values: { fast: 30, share: 0.5, side: "long", patterns: "hammer" },
      problems: [],
    });
  });

  it("are refused with every problem that they have", () => {
    const given = { fast: 2.5, share: 1.1, side: "short", patterns: "doji,star", slow: 1 };
    expect(resolveValues(PARAMETERS, given).problems).toEqual([
      "there is no parameter slow (known: fast, share, side, patterns)",
      "fast must be a whole number",
      "share must lie within 0..1, not 1.1",
      "side must be one of long, both, not short",
      "patterns does not know star",
    ]);
    expect(resolveValues(PARAMETERS, { patterns: " , " }).problems).toEqual([
      "patterns must name one at least",
    ]);
    expect(resolveValues(PARAMETERS, { fast: Number.NaN }).problems).toEqual([
      "fast must lie within 2..200, not NaN",
    ]);
    expect(resolveValues(PARAMETERS, { fast: "20" }).problems).toEqual([
      "fast must lie within 2..200, not 20",
    ]);
  });

  it("of a list are its words", () => {
    expect(wordsOf(" hammer ,doji,")).toEqual(["hammer", "doji"]);
  });
});

describe("parameters", () => {
  it("have a grid within their range, thinned to what is wanted", () => {
    expect(gridOf(PARAMETERS.share, 100)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(gridOf(PARAMETERS.fast, 5)).toEqual([2, 42, 82, 122, 162]);
    for (const { id, parameters } of STRATEGIES) {
      for (const [name, parameter] of Object.entries(parameters)) {
        if (parameter.kind !== "integer" && parameter.kind !== "number") continue;
        const grid = gridOf(parameter, 50);
        const problems = grid.flatMap(
          (value) => resolveValues({ [name]: parameter }, { [name]: value }).problems,
        );
        expect(problems, `${id}.${name}`).toEqual([]);
        expect(grid.length).toBeGreaterThan(1);
        expect(grid.length).toBeLessThanOrEqual(50);
      }
    }
  });

  it("are refused with a default that is none", () => {
    expect(() => checkParameters("row", { fast: bars(1, "too few", 2) })).toThrow(
      "row: fast must lie within 2..500",
    );
    expect(() => checkParameters("row", { Fast: bars(3, "named oddly") })).toThrow(
      "row: parameter name Fast",
    );
  });
});
