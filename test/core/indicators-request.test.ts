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
    ["rsi(x)", 'rsi: period must be a number, not "x"'],
    ["macd(12,,9)", 'macd: slow must be a number, not ""'],
    ["rsi(1)", "rsi: period must lie within 2..10000"],
    ["rsi(2.5)", "rsi: period must be a whole number"],
    ["rsi(1e9)", "rsi: period must lie within 2..10000"],
    ["macd(26,12)", "macd: fast must be shorter than slow"],
  ])("says what is wrong with %j", (text, problem) => {
    expect(read(text)).toBe(problem);
  });
});

describe("parameters", () => {
  it("refuses a name the indicator does not have", () => {
    expect(resolveParameters(rsi, { length: 3 }).problem).toBe("rsi has no parameter length (known: period)");
  });

  it("refuses a definition that contradicts itself", () => {
    expect(() => defineIndicator({ ...rsi, name: "Not A Name" })).toThrow("indicator name");
    expect(() => defineIndicator({ ...rsi, outputs: [] })).toThrow("no outputs");
    const [period] = rsi.parameters;
    expect(() => defineIndicator({ ...rsi, parameters: [{ ...period, default: 1 }] })).toThrow("default");
  });

  it("computes over no bars", () => {
    expect(computeIndicator(rsi, walkBars(0, 1), { period: 14 })[0].length).toBe(0);
  });
});
