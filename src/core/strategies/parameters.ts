import { assert } from "../base/assert.js";

/** A number that may be chosen, and between which ends; `step` is that of a form and of a sweep. */
export interface NumberParameter {
  readonly kind: "integer" | "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly meaning: string;
}

/** One of a few words. */
export interface ChoiceParameter<Word extends string = string> {
  readonly kind: "choice";
  readonly default: Word;
  readonly choices: readonly Word[];
  readonly meaning: string;
}

/** Some of many words, one at least; their value is the words with commas between. */
export interface ListParameter {
  readonly kind: "list";
  readonly default: string;
  readonly choices: readonly string[];
  readonly meaning: string;
}

export type Parameter = NumberParameter | ChoiceParameter | ListParameter;

/** Parameters of a strategy by name, in the order of a form. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** Values of all parameters by name, complete and within range. */
export type Values = Readonly<Record<string, number | string>>;

/** What the parameters of a strategy come to. */
export type ValuesOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends ChoiceParameter<infer Word>
    ? Word
    : P[Name] extends ListParameter
      ? string
      : number;
};

/** What values must fulfil together. */
export interface Constraint<V> {
  readonly text: string;
  holds(values: V): boolean;
}

/** A whole number of bars. */
export function bars(preset: number, meaning: string, min = 2, max = 500): NumberParameter {
  return { kind: "integer", default: preset, min, max, step: 1, meaning };
}

export function number(
  preset: number,
  [min, max, step]: readonly [number, number, number],
  meaning: string,
): NumberParameter {
  return { kind: "number", default: preset, min, max, step, meaning };
}

export function choice<const Word extends string>(
  choices: readonly Word[],
  preset: NoInfer<Word>,
  meaning: string,
): ChoiceParameter<Word> {
  return { kind: "choice", default: preset, choices, meaning };
}

export function list(choices: readonly string[], preset: readonly string[], meaning: string): ListParameter {
  return { kind: "list", default: preset.join(","), choices, meaning };
}

/** The words of a list's value. */
export function wordsOf(value: string): string[] {
  return value
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** @throws AssertionError for a parameter whose default is not one of its values. */
export function checkParameters(owner: string, parameters: Parameters): void {
  for (const [name, parameter] of Object.entries(parameters)) {
    assert(/^[a-z][A-Za-z0-9]*$/.test(name), `${owner}: parameter name ${name}`);
    const problem = problemOf(name, parameter, parameter.default);
    assert(problem === null, `${owner}: ${problem ?? ""}`);
    if (parameter.kind === "integer" || parameter.kind === "number") {
      assert(parameter.step > 0 && parameter.min < parameter.max, `${owner}: ${name} has no range`);
    }
  }
}

/** Given values with defaults filled in; what is wrong with them comes back as text, all of it. */
export function resolveValues(
  parameters: Parameters,
  given: Values,
): { readonly values: Values; readonly problems: readonly string[] } {
  const values: Record<string, number | string> = {};
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    problems.push(`there is no parameter ${name} (known: ${Object.keys(parameters).join(", ") || "none"})`);
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = Object.hasOwn(given, name) ? given[name] : parameter.default;
    const problem = problemOf(name, parameter, value);
    if (problem !== null) problems.push(problem);
    values[name] = value;
  }
  return { values, problems };
}

function problemOf(name: string, parameter: Parameter, value: number | string): string | null {
  if (parameter.kind === "choice") {
    const known = typeof value === "string" && parameter.choices.includes(value);
    return known ? null : `${name} must be one of ${parameter.choices.join(", ")}, not ${value}`;
  }
  if (parameter.kind === "list") {
    const words = typeof value === "string" ? wordsOf(value) : [];
    if (words.length === 0) return `${name} must name one at least`;
    const odd = words.filter((word) => !parameter.choices.includes(word));
    return odd.length === 0 ? null : `${name} does not know ${odd.join(", ")}`;
  }
  const { min, max, kind } = parameter;
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    return `${name} must lie within ${min}..${max}, not ${value}`;
  }
  return kind === "integer" && !Number.isInteger(value) ? `${name} must be a whole number` : null;
}

/** The values of a number between its ends, as a sweep takes them; at most `most`, evenly thinned. */
export function gridOf({ min, max, step, kind }: NumberParameter, most: number): number[] {
  const count = Math.floor((max - min) / step + 1e-9) + 1;
  const every = Math.max(1, Math.ceil(count / most));
  const grid: number[] = [];
  for (let k = 0; k < count; k += every) {
    const value = min + k * step;
    grid.push(kind === "integer" ? Math.round(value) : Number(value.toPrecision(12)));
  }
  return grid;
}
