import { resolveParameters } from "../indicators/define.js";
import { findIndicator, INDICATORS } from "../indicators/index.js";
import type { PatternVariant } from "../patterns/define.js";
import { findPattern, findVariant } from "../patterns/index.js";
import { nearVariants } from "../patterns/near-names.js";
import { REGIMES } from "../regime/define.js";
import {
  ARITHMETIC,
  BAR_FIELDS,
  COMPARISONS,
  type Condition,
  type Operand,
  PATTERN_DIRECTIONS,
  RULE_FACTS,
  RULE_LIMITS,
  type RuleFact,
  WAYS,
} from "./condition.js";
import { applied } from "./operands.js";

/** What is wrong with a rule: where in its JSON form, in words, and the value it is about. */
export interface RuleProblem {
  /** `conditions.0.left.parameters`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  readonly node: unknown;
}

export type CheckedRule =
  | { readonly condition: Condition; readonly problems: readonly [] }
  | { readonly condition: null; readonly problems: readonly RuleProblem[] };

type Given = Readonly<Record<string, unknown>>;

const RULE_FACT_NAMES = Object.keys(RULE_FACTS) as RuleFact[];
const MOST_PROBLEMS = 20;

/** The variants that a name of the pattern table stands for; none for a name that is not in it. */
export function variantsNamed(name: string): readonly PatternVariant[] {
  const found = findVariant(name);
  return found === null ? (findPattern(name)?.variants ?? []) : [found.variant];
}

/**
 * Reads the JSON form: everything that is wrong is named with what it may be, and what is left out gets its default.
 * Any value may be given, however deep.
 */
export function checkCondition(given: unknown): CheckedRule {
  const reader = new Reader();
  const condition = reader.condition(given, "", 1);
  if (condition !== null && reader.problems.length === 0) return { condition, problems: [] };
  return { condition: null, problems: reader.problems };
}

class Reader {
  readonly problems: RuleProblem[] = [];
  #nodes = 0;

  condition(given: unknown, path: string, depth: number): Condition | null {
    const node = this.#enter(given, path, depth, "condition");
    if (node === null) return null;
    switch (node.kind) {
      case "compare":
      case "cross":
        return this.#pair(node, path, depth);
      case "between": {
        this.#only(node, path, ["value", "low", "high"]);
        const value = this.operand(node.value, at(path, "value"), depth + 1);
        const low = this.operand(node.low, at(path, "low"), depth + 1);
        const high = this.operand(node.high, at(path, "high"), depth + 1);
        if (value === null || low === null || high === null) return null;
        if (constantOf(low) > constantOf(high)) {
          const text = `${constantOf(high)} lies below low, which is ${constantOf(low)}: it could never hold`;
          return this.#wrong(at(path, "high"), text, node.high);
        }
        return { kind: "between", value, low, high };
      }
      case "pattern":
        return this.#pattern(node, path);
      case "regime": {
        this.#only(node, path, ["regime"]);
        const regime = this.#oneOf(node, path, "regime", REGIMES);
        return regime && { kind: "regime", regime };
      }
      case "and":
      case "or":
        return this.#list(node, node.kind, path, depth);
      case "not": {
        this.#only(node, path, ["condition"]);
        const condition = this.condition(node.condition, at(path, "condition"), depth + 1);
        return condition && { kind: "not", condition };
      }
      case "for": {
        this.#only(node, path, ["condition", "bars"]);
        const condition = this.condition(node.condition, at(path, "condition"), depth + 1);
        const bars = this.#bars(node, path, "bars", 1);
        return condition === null || bars === null ? null : { kind: "for", condition, bars };
      }
      default: {
        const kinds = "compare, between, cross, pattern, regime, and, or, not, for";
        return this.#wrong(at(path, "kind"), `must be the kind of a condition: ${kinds}`, given);
      }
    }
  }

  operand(given: unknown, path: string, depth: number): Operand | null {
    const node = this.#enter(given, path, depth, "operand");
    if (node === null) return null;
    switch (node.kind) {
      case "number": {
        this.#only(node, path, ["value"]);
        const { number: most } = RULE_LIMITS;
        const value = this.#number(node, path, "value", -most, most);
        return value === null ? null : { kind: "number", value };
      }
      case "bar": {
        this.#only(node, path, ["field", "ago"]);
        const field = this.#oneOf(node, path, "field", BAR_FIELDS);
        const ago = this.#bars(node, path, "ago", 0, 0);
        return field === null || ago === null ? null : { kind: "bar", field, ago };
      }
      case "indicator":
        return this.#indicator(node, path);
      case "change":
      case "volume_ratio": {
        this.#only(node, path, ["bars", "ago"]);
        const bars = this.#bars(node, path, "bars", 1);
        const ago = this.#bars(node, path, "ago", 0, 0);
        return bars === null || ago === null ? null : { kind: node.kind, bars, ago };
      }
      case "fact": {
        this.#only(node, path, ["name"]);
        const name = this.#oneOf(node, path, "name", RULE_FACT_NAMES);
        return name && { kind: "fact", name };
      }
      case "arithmetic": {
        this.#only(node, path, ["sign", "left", "right"]);
        const sign = this.#oneOf(node, path, "sign", ARITHMETIC);
        const left = this.operand(node.left, at(path, "left"), depth + 1);
        const right = this.operand(node.right, at(path, "right"), depth + 1);
        return sign && left && right && { kind: "arithmetic", sign, left, right };
      }
      default: {
        const kinds = "number, bar, indicator, change, volume_ratio, fact, arithmetic";
        return this.#wrong(at(path, "kind"), `must be the kind of an operand: ${kinds}`, given);
      }
    }
  }

  #pair(node: Given, path: string, depth: number): Condition | null {
    const left = this.operand(node.left, at(path, "left"), depth + 1);
    const right = this.operand(node.right, at(path, "right"), depth + 1);
    if (node.kind === "cross") {
      this.#only(node, path, ["left", "way", "right"]);
      const way = this.#oneOf(node, path, "way", WAYS);
      return left && way && right && { kind: "cross", left, way, right };
    }
    this.#only(node, path, ["left", "is", "right"]);
    const is = this.#oneOf(node, path, "is", COMPARISONS);
    return left && is && right && { kind: "compare", left, is, right };
  }

  #list(node: Given, kind: "and" | "or", path: string, depth: number): Condition | null {
    this.#only(node, path, ["conditions"]);
    const { conditions: given } = node;
    if (!Array.isArray(given) || given.length < 2) {
      return this.#wrong(at(path, "conditions"), "must be a list of two conditions or more", node);
    }
    const conditions: Condition[] = [];
    for (const [i, each] of given.entries()) {
      const condition = this.condition(each, at(path, `conditions.${i}`), depth + 1);
      if (condition !== null) conditions.push(condition);
      if (this.#nodes > RULE_LIMITS.nodes) break;
    }
    return { kind, conditions };
  }

  #indicator(node: Given, path: string): Operand | null {
    this.#only(node, path, ["name", "parameters", "output", "ago"]);
    const ago = this.#bars(node, path, "ago", 0, 0);
    const { name, parameters = {}, output = null } = node;
    const indicator = typeof name === "string" ? findIndicator(name) : null;
    if (indicator === null) {
      const known = INDICATORS.map((row) => row.name).join(", ");
      const told =
        typeof name === "string" ? `no indicator is called ${name.slice(0, 60)}` : "must be a text";
      return this.#wrong(at(path, "name"), `${told} (known: ${known})`, node);
    }
    if (!isGiven(parameters) || !Object.values(parameters).every((value) => typeof value === "number")) {
      return this.#wrong(at(path, "parameters"), "must be an object of numbers", node);
    }
    const numbers = parameters as Readonly<Record<string, number>>;
    const { problem } = resolveParameters(indicator, numbers);
    if (problem !== null) return this.#wrong(at(path, "parameters"), problem, node);
    const known = indicator.outputs.map((each) => each.name);
    if (output !== null && (typeof output !== "string" || !known.includes(output))) {
      const text = `${indicator.name} has the outputs ${known.join(", ")}`;
      return this.#wrong(at(path, "output"), text, node);
    }
    return ago === null
      ? null
      : { kind: "indicator", name: indicator.name, parameters: { ...numbers }, output, ago };
  }

  #pattern(node: Given, path: string): Condition | null {
    this.#only(node, path, ["pattern", "direction", "quality", "confidence", "within"]);
    const { pattern = null } = node;
    if (pattern !== null && (typeof pattern !== "string" || variantsNamed(pattern).length === 0)) {
      const near = typeof pattern === "string" ? nearVariants(pattern) : [];
      const hint = near.length > 0 ? `; near are ${near.join(", ")}` : "";
      return this.#wrong(at(path, "pattern"), `no pattern has this id${hint}`, node);
    }
    const direction =
      (node.direction ?? null) === null ? null : this.#oneOf(node, path, "direction", PATTERN_DIRECTIONS);
    const share = (name: string) =>
      (node[name] ?? null) === null ? null : this.#number(node, path, name, 0, 1);
    const within = this.#bars(node, path, "within", 1, 1);
    const [quality, confidence] = [share("quality"), share("confidence")];
    return within === null ? null : { kind: "pattern", pattern, direction, quality, confidence, within };
  }

  #enter(given: unknown, path: string, depth: number, what: string): Given | null {
    this.#nodes++;
    if (depth > RULE_LIMITS.depth)
      return this.#wrong(path, `lies deeper than ${RULE_LIMITS.depth} levels`, given);
    if (this.#nodes > RULE_LIMITS.nodes) {
      return this.#wrong(path, `is one more than the ${RULE_LIMITS.nodes} parts that a rule may have`, given);
    }
    return isGiven(given)
      ? given
      : this.#wrong(path, `must be ${what === "operand" ? "an" : "a"} ${what}`, given);
  }

  #only(node: Given, path: string, names: readonly string[]): void {
    for (const name of Object.keys(node)) {
      if (name === "kind" || names.includes(name)) continue;
      this.#wrong(path, `has no field ${name.slice(0, 60)} (known: ${names.join(", ")})`, node);
    }
  }

  #oneOf<const T extends string>(node: Given, path: string, name: string, known: readonly T[]): T | null {
    const found = known.find((each) => each === node[name]);
    return found ?? this.#wrong(at(path, name), `must be one of ${known.join(", ")}`, node);
  }

  #number(node: Given, path: string, name: string, min: number, max: number): number | null {
    const value = node[name];
    if (typeof value === "number" && value >= min && value <= max) return value;
    return this.#wrong(at(path, name), `must be a number within ${min}..${max}`, node);
  }

  #bars(node: Given, path: string, name: string, min: number, preset?: number): number | null {
    const value = node[name] ?? preset;
    const { bars: most } = RULE_LIMITS;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= most) return value;
    return this.#wrong(at(path, name), `must be a whole number of bars within ${min}..${most}`, node);
  }

  #wrong(path: string, message: string, node: unknown): null {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ path, message, node });
    return null;
  }
}

/** The number that an operand is at every bar; NaN for one that depends on the bar. */
function constantOf(node: Operand): number {
  if (node.kind === "number") return node.value;
  if (node.kind !== "arithmetic") return Number.NaN;
  return applied(node.sign, constantOf(node.left), constantOf(node.right));
}

function isGiven(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const at = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);
