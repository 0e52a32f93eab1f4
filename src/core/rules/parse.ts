import type { Indicator } from "../indicators/define.js";
import { findIndicator, INDICATORS } from "../indicators/index.js";
import { findPattern } from "../patterns/index.js";
import { namedVariant } from "../patterns/names.js";
import { nearVariants } from "../patterns/near-names.js";
import { REGIMES } from "../regime/define.js";
import { checkCondition } from "./check.js";
import {
  ARITHMETIC,
  BAR_FIELDS,
  COMPARISONS,
  type Condition,
  isOperand,
  type Operand,
  PATTERN_DIRECTIONS,
  RULE_FACTS,
  RULE_LIMITS,
  type RuleFact,
  type RuleNode,
  WAYS,
} from "./condition.js";
import { SyntaxFault, type SyntaxProblem, type Token, tokensOf } from "./tokens.js";

export type ParsedRule =
  | { readonly condition: Condition; readonly problem: null }
  | { readonly condition: null; readonly problem: SyntaxProblem };

/**
 * Reads an expression such as `close crosses above sma(20) and rsi(14) < 30 and not regime("bear")`. Signs that bind the
 * most first: `* /`, `+ -`, comparisons, `for 3 bars`, `not`, `and`, `or`.
 */
export function parseRule(expression: string): ParsedRule {
  const { characters } = RULE_LIMITS;
  if (expression.length > characters) {
    const message = `The expression has ${expression.length} characters, and may have ${characters}`;
    return { condition: null, problem: { position: characters, message, expected: [] } };
  }
  try {
    return read(expression);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { condition: null, problem: error.problem };
  }
}

function read(expression: string): ParsedRule {
  const reader = new Reader(tokensOf(expression));
  const parsed = reader.whole();
  const { condition, problems } = checkCondition(parsed);
  if (condition !== null) return { condition, problem: null };
  const [{ node, message, path }] = problems;
  const position = reader.positionOf(node);
  const field = path.slice(path.lastIndexOf(".") + 1);
  return { condition: null, problem: { position, message: `${field}: ${message}`, expected: [] } };
}

const KEYWORDS = ["and", "or", "not", "between", "crosses", "for"];
const FUNCTIONS = ["change", "volume_ratio", "pattern", "regime"] as const;
const GROUP = "portfolio";
const FACTS = Object.keys(RULE_FACTS) as RuleFact[];
const OPERANDS = ["a number", ...BAR_FIELDS, "an indicator", "change(bars)", "volume_ratio(bars)", ...FACTS];
const CONDITIONS = ["not", "pattern(id)", "regime(name)", "("];
const RELATIONS = [...COMPARISONS, "between", "crosses above", "crosses below"];
/** Brackets and `not` within each other; the levels of the tree are counted by themselves. */
const MOST_NESTED = 2 * RULE_LIMITS.depth;

class Reader {
  readonly #tokens: readonly Token[];
  readonly #positions = new Map<unknown, number>();
  #next = 0;
  #nested = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Characters before what became a node. */
  positionOf(node: unknown): number {
    return this.#positions.get(node) ?? 0;
  }

  whole(): Condition {
    const start = this.#token;
    const condition = this.#asCondition(this.#either(), start);
    if (this.#token.kind !== "end") throw this.#unexpected(["and", "or", "the end"]);
    return condition;
  }

  get #token(): Token {
    return this.#tokens[this.#next];
  }

  #either(): RuleNode {
    return this.#joined("or", () => this.#joined("and", () => this.#negated()));
  }

  #joined(word: "and" | "or", inner: () => RuleNode): RuleNode {
    const start = this.#token;
    const first = inner();
    if (!this.#is("name", word)) return first;
    const conditions = [this.#asCondition(first, start)];
    while (this.#take("name", word)) {
      const { [this.#next]: token } = this.#tokens;
      conditions.push(this.#asCondition(inner(), token));
    }
    return this.#made({ kind: word, conditions }, start);
  }

  #negated(): RuleNode {
    const start = this.#token;
    if (!this.#take("name", "not")) return this.#lasting();
    const inner = this.#token;
    const condition = this.#deeper(() => this.#asCondition(this.#negated(), inner));
    return this.#made({ kind: "not", condition }, start);
  }

  #lasting(): RuleNode {
    const start = this.#token;
    let node = this.#related();
    while (this.#is("name", "for")) {
      const condition = this.#asCondition(node, start);
      this.#next++;
      const bars = this.#number();
      if (!this.#take("name", "bars") && !this.#take("name", "bar")) throw this.#unexpected(["bars"]);
      node = this.#made({ kind: "for", condition, bars }, start);
    }
    return node;
  }

  #related(): RuleNode {
    const start = this.#token;
    const node = this.#sum();
    const { kind, text } = this.#token;
    if (kind === "sign") {
      const is = COMPARISONS.find((each) => each === text);
      if (is === undefined) return node;
      const left = this.#asOperand(node, start);
      this.#next++;
      return this.#made({ kind: "compare", left, is, right: this.#operand() }, start);
    }
    if (this.#is("name", "between")) {
      const value = this.#asOperand(node, start);
      this.#next++;
      const low = this.#operand();
      if (!this.#take("name", "and")) throw this.#unexpected(["and"]);
      return this.#made({ kind: "between", value, low, high: this.#operand() }, start);
    }
    if (!this.#is("name", "crosses")) return node;
    const left = this.#asOperand(node, start);
    this.#next++;
    const way = WAYS.find((each) => this.#take("name", each));
    if (way === undefined) throw this.#unexpected(WAYS);
    return this.#made({ kind: "cross", left, way, right: this.#operand() }, start);
  }

  #operand(): Operand {
    const start = this.#token;
    return this.#asOperand(this.#sum(), start);
  }

  #sum(): RuleNode {
    return this.#chain(["+", "-"], () => this.#chain(["*", "/"], () => this.#primary()));
  }

  #chain(signs: readonly string[], inner: () => RuleNode): RuleNode {
    const start = this.#token;
    let node = inner();
    for (;;) {
      const { kind, text } = this.#token;
      const sign = ARITHMETIC.find((each) => kind === "sign" && each === text && signs.includes(each));
      if (sign === undefined) return node;
      const left = this.#asOperand(node, start);
      this.#next++;
      const token = this.#token;
      node = this.#made({ kind: "arithmetic", sign, left, right: this.#asOperand(inner(), token) }, start);
    }
  }

  #primary(): RuleNode {
    const start = this.#token;
    if (this.#take("sign", "(")) {
      const node = this.#deeper(() => this.#either());
      if (!this.#take("sign", ")")) throw this.#unexpected([")"]);
      return node;
    }
    if (start.kind === "number" || this.#is("sign", "-")) {
      return this.#made({ kind: "number", value: this.#number() }, start);
    }
    if (start.kind !== "name" || KEYWORDS.includes(start.text)) {
      throw this.#unexpected([...OPERANDS, ...CONDITIONS]);
    }
    this.#next++;
    return this.#made(this.#named(start), start);
  }

  #named(token: Token): RuleNode {
    const { text } = token;
    const field = BAR_FIELDS.find((each) => each === text);
    if (field !== undefined) return { kind: "bar", field, ago: this.#ago() };
    const call = FUNCTIONS.find((each) => each === text);
    if (call === "pattern") return this.#pattern();
    if (call === "regime") return this.#regime();
    if (call !== undefined) {
      this.#require("(");
      const bars = this.#number();
      this.#require(")");
      return { kind: call, bars, ago: this.#ago() };
    }
    const fact = this.#fact(token);
    return fact === null ? this.#indicator(token) : { kind: "fact", name: fact };
  }

  #fact({ text }: Token): RuleFact | null {
    if (text !== GROUP) return FACTS.find((each) => each === text) ?? null;
    this.#require(".");
    const { kind, text: second } = this.#token;
    const fact = FACTS.find((each) => kind === "name" && each === `${GROUP}.${second}`);
    if (fact === undefined) throw this.#unexpected(FACTS.flatMap((each) => each.split(".").slice(1)));
    this.#next++;
    return fact;
  }

  #indicator(token: Token): Operand {
    const indicator = findIndicator(token.text);
    if (indicator === null) {
      const known = INDICATORS.map(({ name }) => name);
      const message = `No operand, indicator or condition is called ${token.text.slice(0, 60)}`;
      throw new SyntaxFault(token.at, message, [...OPERANDS, ...CONDITIONS, ...known]);
    }
    const parameters = this.#parameters(indicator);
    let output: string | null = null;
    if (this.#take("sign", ".")) {
      const known = indicator.outputs.map(({ name }) => name);
      const { kind, text } = this.#token;
      if (kind !== "name" || !known.includes(text)) throw this.#unexpected(known);
      output = text;
      this.#next++;
    }
    return { kind: "indicator", name: indicator.name, parameters, output, ago: this.#ago() };
  }

  /** Values in the order of the parameters, and from the first name on with names. */
  #parameters({ name, parameters }: Indicator): Record<string, number> {
    const given: Record<string, number> = {};
    if (!this.#take("sign", "(") || this.#take("sign", ")")) return given;
    let place: number | null = 0;
    do {
      const { kind, text, at } = this.#token;
      const free = parameters.map((each) => each.name).filter((each) => !Object.hasOwn(given, each));
      let key: string | undefined;
      if (kind === "name") {
        key = free.find((each) => each === text);
        if (key === undefined) throw this.#unexpected(free.map((each) => `${each}:`));
        this.#next++;
        this.#require(":");
        place = null;
      } else {
        if (place === null) throw this.#unexpected(free.map((each) => `${each}:`));
        key = parameters[place]?.name;
        if (key === undefined) throw new SyntaxFault(at, `${name} takes ${place} parameters`, [")"]);
        place++;
      }
      given[key] = this.#number();
    } while (this.#take("sign", ","));
    this.#require(")");
    return given;
  }

  #pattern(): Condition {
    this.#require("(");
    const pattern = this.#take("name", "any") ? null : this.#patternName();
    const terms = { direction: null as string | null, quality: null as number | null };
    let confidence: number | null = null;
    let within = 1;
    const free = new Set(["direction", "quality", "confidence", "within"]);
    while (this.#take("sign", ",")) {
      const { kind, text } = this.#token;
      if (kind !== "name" || !free.delete(text)) throw this.#unexpected([...free].map((each) => `${each}:`));
      this.#next++;
      this.#require(":");
      if (text === "direction") terms.direction = this.#word(PATTERN_DIRECTIONS);
      else if (text === "quality") terms.quality = this.#number();
      else if (text === "confidence") confidence = this.#number();
      else within = this.#number();
    }
    this.#require(")");
    const direction = PATTERN_DIRECTIONS.find((each) => each === terms.direction) ?? null;
    return { kind: "pattern", pattern, direction, quality: terms.quality, confidence, within };
  }

  #patternName(): string {
    const { kind, text, at } = this.#token;
    if (kind !== "text") throw this.#unexpected(["any", "the id of a pattern in quotation marks"]);
    const pattern = findPattern(text)?.name ?? namedVariant(text)?.id;
    if (pattern === undefined) {
      throw new SyntaxFault(
        at,
        `No pattern is called ${JSON.stringify(text.slice(0, 60))}`,
        nearVariants(text),
      );
    }
    this.#next++;
    return pattern;
  }

  #regime(): Condition {
    this.#require("(");
    const { kind, text, at } = this.#token;
    const wanted = text.toLowerCase();
    const regime = REGIMES.find((each) => each === wanted || each === `trending_${wanted}`);
    if (kind !== "text" || regime === undefined) {
      throw new SyntaxFault(at, `${told(this.#token)} is no regime`, REGIMES);
    }
    this.#next++;
    this.#require(")");
    return { kind: "regime", regime };
  }

  #ago(): number {
    if (!this.#take("sign", "[")) return 0;
    const ago = this.#number();
    this.#require("]");
    return ago;
  }

  #word<const T extends string>(known: readonly T[]): T {
    const { kind, text } = this.#token;
    const found = known.find((each) => kind === "text" && each === text.toLowerCase());
    if (found === undefined) throw this.#unexpected(known.map((each) => `"${each}"`));
    this.#next++;
    return found;
  }

  #number(): number {
    const below = this.#take("sign", "-");
    const { kind, text, at } = this.#token;
    if (kind !== "number") throw this.#unexpected(["a number"]);
    const value = Number(text);
    if (!Number.isFinite(value)) throw new SyntaxFault(at, `${text} is too large a number`);
    this.#next++;
    return below ? -value : value;
  }

  #asCondition(node: RuleNode, { at }: Token): Condition {
    if (!isOperand(node)) return node;
    throw new SyntaxFault(this.#token.at, `What begins at ${at} is a number and no condition yet`, RELATIONS);
  }

  #asOperand(node: RuleNode, { at }: Token): Operand {
    if (isOperand(node)) return node;
    throw new SyntaxFault(at, "A condition stands where a number is needed", OPERANDS);
  }

  #made<Made extends RuleNode>(node: Made, { at }: Token): Made {
    this.#positions.set(node, at);
    if (this.#positions.size <= RULE_LIMITS.nodes) return node;
    throw new SyntaxFault(at, `The expression has more than ${RULE_LIMITS.nodes} parts`);
  }

  #deeper<Made>(read: () => Made): Made {
    this.#nested++;
    if (this.#nested > MOST_NESTED) {
      throw new SyntaxFault(this.#token.at, `The expression is nested deeper than ${MOST_NESTED} levels`);
    }
    const made = read();
    this.#nested--;
    return made;
  }

  #is(kind: Token["kind"], text: string): boolean {
    return this.#token.kind === kind && this.#token.text === text;
  }

  #take(kind: Token["kind"], text: string): boolean {
    if (!this.#is(kind, text)) return false;
    this.#next++;
    return true;
  }

  #require(sign: string): void {
    if (!this.#take("sign", sign)) throw this.#unexpected([sign]);
  }

  #unexpected(expected: readonly string[]): SyntaxFault {
    return new SyntaxFault(this.#token.at, `${told(this.#token)} is not expected here`, expected);
  }
}

function told({ kind, text }: Token): string {
  return kind === "end" ? "The end" : JSON.stringify(text.slice(0, 60));
}
