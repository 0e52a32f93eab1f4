import { ensure } from "../base/assert.js";
import { findIndicator } from "../indicators/index.js";
import { type Condition, isOperand, type Operand, type RuleNode } from "./condition.js";

/** The expression of a condition or operand; reading it gives the same again. */
export function printRule(node: RuleNode): string {
  return isOperand(node) ? printOperand(node) : printCondition(node);
}

function printCondition(node: Condition): string {
  switch (node.kind) {
    case "compare":
      return `${printOperand(node.left)} ${node.is} ${printOperand(node.right)}`;
    case "between":
      return `${printOperand(node.value)} between ${printOperand(node.low)} and ${printOperand(node.high)}`;
    case "cross":
      return `${printOperand(node.left)} crosses ${node.way} ${printOperand(node.right)}`;
    case "pattern":
      return printPattern(node);
    case "regime":
      return `regime("${node.regime}")`;
    case "and":
    case "or":
      return node.conditions.map(enclosed).join(` ${node.kind} `);
    case "not":
      return `not ${enclosed(node.condition)}`;
    case "for":
      return `${enclosed(node.condition)} for ${node.bars} bars`;
  }
}

function printPattern({ pattern, direction, quality, confidence, within }: Condition & { kind: "pattern" }) {
  const terms = [pattern === null ? "any" : `"${pattern}"`];
  if (direction !== null) terms.push(`direction: "${direction}"`);
  if (quality !== null) terms.push(`quality: ${printNumber(quality)}`);
  if (confidence !== null) terms.push(`confidence: ${printNumber(confidence)}`);
  if (within !== 1) terms.push(`within: ${within}`);
  return `pattern(${terms.join(", ")})`;
}

/** In brackets where it is made of conditions. */
function enclosed(node: Condition): string {
  const text = printCondition(node);
  return node.kind === "and" || node.kind === "or" || node.kind === "not" || node.kind === "for"
    ? `(${text})`
    : text;
}

function printOperand(node: Operand): string {
  switch (node.kind) {
    case "number":
      return printNumber(node.value);
    case "bar":
      return node.field + printAgo(node.ago);
    case "indicator":
      return printIndicator(node) + printAgo(node.ago);
    case "change":
    case "volume_ratio":
      return `${node.kind}(${node.bars})${printAgo(node.ago)}`;
    case "fact":
      return node.name;
    case "arithmetic":
      return `${bracketed(node.left)} ${node.sign} ${bracketed(node.right)}`;
  }
}

function bracketed(node: Operand): string {
  return node.kind === "arithmetic" ? `(${printOperand(node)})` : printOperand(node);
}

/** Values without names as long as they are the first parameters in their order, with names from there on. */
function printIndicator({ name, parameters, output }: Operand & { kind: "indicator" }): string {
  const known = ensure(findIndicator(name), `no indicator is called ${name}`).parameters;
  let inOrder = true;
  const terms: string[] = [];
  for (const parameter of known) {
    const given = Object.hasOwn(parameters, parameter.name);
    if (!given) inOrder = false;
    else if (inOrder) terms.push(printNumber(parameters[parameter.name]));
    else terms.push(`${parameter.name}: ${printNumber(parameters[parameter.name])}`);
  }
  const list = terms.length === 0 ? "" : `(${terms.join(", ")})`;
  return name + list + (output === null ? "" : `.${output}`);
}

const printAgo = (ago: number) => (ago === 0 ? "" : `[${ago}]`);

/** Digits that give the same double when read. */
function printNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
