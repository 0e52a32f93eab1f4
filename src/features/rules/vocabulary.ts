import type { z } from "zod";
import { INDICATORS } from "../../core/indicators/index.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { REGIMES } from "../../core/regime/define.js";
import {
  ARITHMETIC,
  BAR_FIELDS,
  COMPARISONS,
  type Condition,
  type Operand,
  PATTERN_DIRECTIONS,
  RULE_FACTS,
  RULE_LIMITS,
  WAYS,
} from "../../core/rules/condition.js";
import { STEP_BUDGET } from "../../core/rules/evaluate.js";
import { FREQUENCIES, QUIET_POLICIES } from "../../core/rules/trigger.js";
import type { vocabularySchema } from "./schema.js";

interface Word {
  readonly form: string;
  readonly description: string;
  readonly fields: Readonly<Record<string, string>>;
}

const AGO = "bars earlier, 0 unless given";
const OPERANDS: Readonly<Record<Operand["kind"], Word>> = {
  number: { form: "30", description: "A constant", fields: { value: "number" } },
  bar: {
    form: "close, high[1]",
    description: "A price or the volume of a bar",
    fields: { field: BAR_FIELDS.join(" | "), ago: AGO },
  },
  indicator: {
    form: "sma(20), macd(12, 26, 9).signal[1], bbands(deviations: 2.5).upper",
    description: "An output of an indicator, with values in the order of its parameters or by their names",
    fields: {
      name: "an indicator",
      parameters: "an object of those that are given",
      output: "one of its outputs, null for the first",
      ago: AGO,
    },
  },
  change: {
    form: "change(5)",
    description: "Percent by which the close lies above that of so many bars before",
    fields: { bars: "whole number", ago: AGO },
  },
  volume_ratio: {
    form: "volume_ratio(20)",
    description: "Volume per mean volume of the so many bars before",
    fields: { bars: "whole number", ago: AGO },
  },
  fact: { form: "sentiment", description: "What is known beside bars", fields: { name: "a fact" } },
  arithmetic: {
    form: "sma(20) * 1.02",
    description: "Two operands in one",
    fields: { sign: ARITHMETIC.join(" | "), left: "operand", right: "operand" },
  },
};
const CONDITIONS: Readonly<Record<Condition["kind"], Word>> = {
  compare: {
    form: "rsi(14) < 30",
    description: "A level; = and != by the exact value",
    fields: { left: "operand", is: COMPARISONS.join(" | "), right: "operand" },
  },
  between: {
    form: "rsi between 40 and 60",
    description: "A range, its bounds included; the lower one first",
    fields: { value: "operand", low: "operand", high: "operand" },
  },
  cross: {
    form: "close crosses above sma(20)",
    description: "On this side now, having been on the other when the two last differed",
    fields: { left: "operand", way: WAYS.join(" | "), right: "operand" },
  },
  pattern: {
    form: 'pattern("hammer", quality: 0.6, within: 3), pattern(any, direction: "bullish")',
    description: "A pattern was confirmed at the bar, or within the last so many",
    fields: {
      pattern: "a pattern, null for any",
      direction: `${PATTERN_DIRECTIONS.join(" | ")}, null for any`,
      quality: "least quality of its geometry, 0..1 or null",
      confidence: "least measured hit rate, 0..1 or null",
      within: "bars, 1 unless given",
    },
  },
  regime: {
    form: 'regime("ranging")',
    description: "The state that the market is in",
    fields: { regime: "a regime" },
  },
  and: { form: "a and b", description: "All hold", fields: { conditions: "list of conditions" } },
  or: { form: "a or b", description: "One holds", fields: { conditions: "list of conditions" } },
  not: { form: "not a", description: "It does not hold", fields: { condition: "condition" } },
  for: {
    form: "close > sma(50) for 3 bars",
    description: "Holds at each of the last so many bars",
    fields: { condition: "condition", bars: "whole number" },
  },
};

const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

/** All that a rule can be made of, for whoever builds one. */
export function vocabularyView(): z.input<typeof vocabularySchema> {
  const words = (of: "condition" | "operand", table: Readonly<Record<string, Word>>) =>
    Object.entries(table).map(([kind, word]) => ({ kind, of, ...word, fields: { ...word.fields } }));
  return {
    kinds: [...words("condition", CONDITIONS), ...words("operand", OPERANDS)],
    fields: [...BAR_FIELDS],
    facts: Object.entries(RULE_FACTS).map(([name, description]) => ({ name, description })),
    comparisons: [...COMPARISONS],
    signs: [...ARITHMETIC],
    indicators: INDICATORS.map(({ name, title, family, parameters, constraint, outputs }) => ({
      name,
      title,
      family,
      parameters: parameters.map((each) => ({ ...each })),
      constraint,
      outputs: outputs.map((each) => ({ name: each.name, unit: each.unit })),
    })),
    patterns: PATTERNS.flatMap(({ family, variants }) =>
      variants.map(({ id, title, direction }) => ({ id, title, family, direction: DIRECTIONS[direction] })),
    ),
    regimes: [...REGIMES],
    frequencies: [...FREQUENCIES],
    quiet_policies: [...QUIET_POLICIES],
    limits: { ...RULE_LIMITS, steps: STEP_BUDGET },
  };
}
