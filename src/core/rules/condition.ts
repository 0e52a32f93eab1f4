import type { Regime } from "../regime/define.js";

/** Columns of bars that a rule may read. */
export const BAR_FIELDS = ["open", "high", "low", "close", "volume"] as const;
export type BarField = (typeof BAR_FIELDS)[number];

/** What is known beside bars: each is given from outside as a column, NaN where it is not known. */
export const RULE_FACTS = {
  score: "Probability that the active model gives the newest pattern of the symbol, 0..1",
  sentiment: "What news and posts say of the symbol, -1..1",
  "portfolio.equity": "Worth of the owner's paper account, in its currency",
  "portfolio.position": "Units of the symbol held on the paper account, below 0 for a short position",
  "portfolio.open_positions": "Positions that are open on the paper account",
  "portfolio.day_loss": "Money that the paper account has lost since the session began, 0 or more",
  "portfolio.drawdown": "Percent that the paper account lies below its highest equity",
} as const satisfies Readonly<Record<string, string>>;
export type RuleFact = keyof typeof RULE_FACTS;

/** Columns of the length of the bars by the name of the fact. */
export type RuleFacts = Readonly<Partial<Record<RuleFact, Float64Array>>>;

export const ARITHMETIC = ["+", "-", "*", "/"] as const;
export type ArithmeticSign = (typeof ARITHMETIC)[number];
export const COMPARISONS = ["<", "<=", ">", ">=", "=", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];
export const WAYS = ["above", "below"] as const;
export type Way = (typeof WAYS)[number];
export const PATTERN_DIRECTIONS = ["bullish", "bearish", "neutral"] as const;
export type PatternDirection = (typeof PATTERN_DIRECTIONS)[number];

/**
 * A number at each bar. `ago` is how many bars earlier it is read, 0 for the bar itself; what is looked for before the
 * first bar is unknown.
 */
export type Operand =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "bar"; readonly field: BarField; readonly ago: number }
  | {
      readonly kind: "indicator";
      /** A row of the indicator table. */
      readonly name: string;
      /** Those that are given; the others have their defaults. */
      readonly parameters: Readonly<Record<string, number>>;
      /** Null for the first. */
      readonly output: string | null;
      readonly ago: number;
    }
  /** Percent by which the close lies above that of so many bars before. */
  | { readonly kind: "change"; readonly bars: number; readonly ago: number }
  /** Volume per mean volume of the so many bars before. */
  | { readonly kind: "volume_ratio"; readonly bars: number; readonly ago: number }
  | { readonly kind: "fact"; readonly name: RuleFact }
  | {
      readonly kind: "arithmetic";
      readonly sign: ArithmeticSign;
      readonly left: Operand;
      readonly right: Operand;
    };

/** True, false or unknown at each bar. */
export type Condition =
  | { readonly kind: "compare"; readonly left: Operand; readonly is: Comparison; readonly right: Operand }
  /** Bounds included. */
  | { readonly kind: "between"; readonly value: Operand; readonly low: Operand; readonly high: Operand }
  /** Lies on one side now, having lain on the other when the two last differed. */
  | { readonly kind: "cross"; readonly left: Operand; readonly way: Way; readonly right: Operand }
  | {
      readonly kind: "pattern";
      /** A variant or a row of the pattern table; null for any. */
      readonly pattern: string | null;
      readonly direction: PatternDirection | null;
      /** Least quality of the geometry, 0..1. */
      readonly quality: number | null;
      /** Least measured hit rate, 0..1. */
      readonly confidence: number | null;
      /** Bars within which it was confirmed, 1 for the bar itself. */
      readonly within: number;
    }
  | { readonly kind: "regime"; readonly regime: Regime }
  | { readonly kind: "and" | "or"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  /** True at each of the last so many bars. */
  | { readonly kind: "for"; readonly condition: Condition; readonly bars: number };

export type RuleNode = Operand | Condition;

/** What a rule may be made of at most. */
export const RULE_LIMITS = {
  /** Characters of an expression. */
  characters: 4_000,
  /** Levels of conditions and operands within each other. */
  depth: 24,
  /** Conditions and operands. */
  nodes: 200,
  /** Bars that `ago`, `within`, `for`, `change` and `volume_ratio` reach back. */
  bars: 1_000,
  /** Size of a constant. */
  number: 1e15,
} as const;

const OPERAND_KINDS: ReadonlySet<string> = new Set([
  "number",
  "bar",
  "indicator",
  "change",
  "volume_ratio",
  "fact",
  "arithmetic",
] satisfies Operand["kind"][]);

export function isOperand(node: RuleNode): node is Operand {
  return OPERAND_KINDS.has(node.kind);
}

/** What a condition or operand is made of, in the order in which it is written. */
export function partsOf(node: RuleNode): readonly RuleNode[] {
  switch (node.kind) {
    case "arithmetic":
    case "compare":
    case "cross":
      return [node.left, node.right];
    case "between":
      return [node.value, node.low, node.high];
    case "and":
    case "or":
      return node.conditions;
    case "not":
    case "for":
      return [node.condition];
    default:
      return [];
  }
}

/** The node and all within it, each before what it is made of. */
export function nodesOf(node: RuleNode): RuleNode[] {
  return [node, ...partsOf(node).flatMap(nodesOf)];
}
