import { describe, expect, it } from "vitest";
import { computeIndicator, defineIndicator, resolveParameters } from "../../src/core/indicators/define.js";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { rsi } from "../../src/core/indicators/momentum/rsi.js";
import { parseIndicatorRequest } from "../../src/core/indicators/request.js";
import { walkBars } from "../fixtures/series.js";

function read(text: string): { name: string; values: Readonly<Record<string, number>> } | string {
  const { request, problem } = parseIndicatorRequest(text);
  return request === null ? problem : { name: request.indicator.name, values: request.values };
}

describe("request", () => {
  it("reads a name with defaults, with values and with some values", () => {
    expect(read("rsi")).toEqual({ name: "rsi", values: { period: 14 } });
    expect(read("rsi()")).toEqual({ name: "rsi", values: { period: 14 } });
    expect(read("rsi(21)")).toEqual({ name: "rsi", values: { period: 21 } });
    expect(read("macd(12,26,9)")).toEqual({ name: "macd", values: { fast: 12, slow: 26, signal: 9 } });
    expect(read("macd(5)")).toEqual({ name: "macd", values: { fast: 5, slow: 26, signal: 9 } });
    expect(read(" BBands( 20, 2.5 ) ")).toEqual({ name: "bbands", values: { period: 20, deviations: 2.5 } });
  });

  it("reads the name of every row", () => {
    for (const { name } of INDICATORS) expect(read(name)).toMatchObject({ name });
  });

  it.each([
    ["", '"" is not an indicator; write a name or name(value,...)'],
    ["rsi(14", '"rsi(14" is not an indicator; write a name or name(value,...)'],
    ["rsi(14)x", '"rsi(14)x" is not an indicator; write a name or name(value,...)'],
    ["magic(3)", "no indicator is called magic"],
    ["rsi(14,2)", "rsi takes period, not 2 values"],
    ["obv(1)", "obv takes no parameters, not 1 values"],
    ["rsi(x)", 'rsi: period must be a whole number within 2..10000, not "x"'],
    ["macd(12,,9)", 'macd: slow must be a whole number within 2..10000, not ""'],
    ["macd(12,26,)", 'macd: signal must be a whole number within 1..10000, not ""'],
    ["bbands(20,x)", 'bbands: deviations must be a decimal number within 0..100, not "x"'],
    ["rsi(1)", "rsi: period must lie within 2..10000, not 1"],
    ["rsi(-14)", "rsi: period must lie within 2..10000, not -14"],
    ["rsi(10001)", "rsi: period must lie within 2..10000, not 10001"],
    ["rsi(2.5)", "rsi: period must be a whole number within 2..10000, not 2.5"],
    ["macd(26,12)", "macd: fast must be shorter than slow"],
  ])("says what is wrong with %j", (text, problem) => {
    expect(read(text)).toBe(problem);
  });
});

describe("numbers", () => {
  it.each([
    ...["0x10", "0b11", "0o17", "1e1", "1E1", "Infinity", "-Infinity", "NaN", "+14", "1_4", "1 4", "14n"],
    ...["14.", ".5", "--14", "1.2.3", "\u0661\u0664", "true", "null", "1".repeat(16), "14;", "'14'"],
  ])("are decimal: %s is refused", (item) => {
    expect(read(`rsi(${item})`)).toMatch(/^rsi: period must be a whole number within 2\.\.10000, not "/);
    expect(read(`bbands(20,${item})`)).toMatch(/^bbands: deviations must be a decimal number within /);
  });

  it("may have blanks around them, a point and leading zeros", () => {
    expect(read("bbands( 020 ,\t02.50 )")).toEqual({
      name: "bbands",
      values: { period: 20, deviations: 2.5 },
    });
  });
});

describe("parameters", () => {
  it("refuses a name the indicator does not have", () => {
    expect(resolveParameters(rsi, { length: 3 }).problem).toBe("rsi has no parameter length (known: period)");
  });

  it("refuses a definition that contradicts itself", () => {
    const row = { ...rsi, constraint: null };
    expect(() => defineIndicator({ ...row, name: "Not A Name" })).toThrow("indicator name");
    expect(() => defineIndicator({ ...row, outputs: [] })).toThrow("no outputs");
    const [period] = row.parameters;
    expect(() => defineIndicator({ ...row, parameters: [{ ...period, default: 1 }] })).toThrow("default");
  });

  it("computes over no bars", () => {
    expect(computeIndicator(rsi, walkBars(0, 1), { period: 14 })[0].length).toBe(0);
  });
});
