import { type Indicator, type ParameterValues, resolveParameters } from "./define.js";
import { findIndicator } from "./index.js";

export interface IndicatorRequest {
  readonly indicator: Indicator;
  readonly values: ParameterValues;
}

const FORM = /^([a-z][a-z0-9_]*)(?:\(([^()]*)\))?$/;

/**
 * Reads `rsi`, `rsi(21)`, `macd(12,26,9)` or `bbands(20,2)`: a name of the table and, in the order of its
 * parameters, their values; those left out keep their defaults. Case and blanks do not matter. What cannot be
 * read comes back as a problem to show to whoever asked.
 */
export function parseIndicatorRequest(
  text: string,
): { request: IndicatorRequest; problem: null } | { request: null; problem: string } {
  const match = FORM.exec(text.toLowerCase().replace(/\s+/g, ""));
  if (match === null) {
    return { request: null, problem: `"${text}" is not an indicator; write a name or name(value,...)` };
  }
  const indicator = findIndicator(match[1]);
  if (indicator === null) return { request: null, problem: `no indicator is called ${match[1]}` };
  const items = match[2] === undefined || match[2] === "" ? [] : match[2].split(",");
  if (items.length > indicator.parameters.length) {
    const known = indicator.parameters.map((parameter) => parameter.name).join(", ") || "no parameters";
    return { request: null, problem: `${indicator.name} takes ${known}, not ${items.length} values` };
  }
  const given: Record<string, number> = {};
  for (const [position, item] of items.entries()) {
    const { name } = indicator.parameters[position];
    const value = item === "" ? Number.NaN : Number(item);
    if (Number.isNaN(value)) {
      return { request: null, problem: `${indicator.name}: ${name} must be a number, not "${item}"` };
    }
    given[name] = value;
  }
  const { values, problem } = resolveParameters(indicator, given);
  return values === null ? { request: null, problem } : { request: { indicator, values }, problem: null };
}
