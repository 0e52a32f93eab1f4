import { type Indicator, type Parameter, type ParameterValues, resolveParameters } from "./define.js";
import { findIndicator } from "./index.js";

export interface IndicatorRequest {
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  /** Names of the parameters that were given; the others have their defaults. */
  readonly given: readonly string[];
}

const FORM = /^([a-z][a-z0-9_]*) *(?:\(([^()]*)\))?$/;
/** No exponent, no base, no infinity, no blanks within. */
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,15})?$/;

/**
 * Reads `rsi`, `rsi(21)`, `macd(12,26,9)` or `bbands(20,2.5)`: a name of the table and, in the order of its
 * parameters, their values as decimal numbers; those left out at the end keep their defaults. Case and blanks
 * around names and numbers do not matter. What cannot be read comes back as a problem to show to whoever asked.
 */
export function parseIndicatorRequest(
  text: string,
): { request: IndicatorRequest; problem: null } | { request: null; problem: string } {
  const match = FORM.exec(text.trim().toLowerCase());
  if (match === null) {
    return { request: null, problem: `"${text}" is not an indicator; write a name or name(value,...)` };
  }
  const [, name, list = ""] = match;
  const indicator = findIndicator(name);
  if (indicator === null) return { request: null, problem: `no indicator is called ${name}` };
  const items = list.trim() === "" ? [] : list.split(",").map((item) => item.trim());
  if (items.length > indicator.parameters.length) {
    const known = indicator.parameters.map((parameter) => parameter.name).join(", ") || "no parameters";
    return { request: null, problem: `${indicator.name} takes ${known}, not ${items.length} values` };
  }
  const given: Record<string, number> = {};
  for (const [position, item] of items.entries()) {
    const parameter = indicator.parameters[position];
    if (!DECIMAL.test(item)) return { request: null, problem: notDecimal(indicator, parameter, item) };
    given[parameter.name] = Number(item);
  }
  const { values, problem } = resolveParameters(indicator, given);
  return values === null
    ? { request: null, problem }
    : { request: { indicator, values, given: Object.keys(given) }, problem: null };
}

function notDecimal(indicator: Indicator, { name, kind, min, max }: Parameter, item: string): string {
  const wanted = kind === "integer" ? "whole" : "decimal";
  return `${indicator.name}: ${name} must be a ${wanted} number within ${min}..${max}, not "${item}"`;
}
