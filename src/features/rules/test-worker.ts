import { lendingColumns } from "../../core/base/columns.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import type { Condition } from "../../core/rules/condition.js";
import { type TestRun, testRule } from "../../core/rules/test-run.js";
import { type RuleTerms, triggerTerms } from "./language.js";

export interface TestTask {
  readonly when: Condition;
  readonly rearm: Condition | null;
  readonly terms: RuleTerms;
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** First bar that counts; those before it only lead up to it. */
  readonly from: number;
}

/** What the rule would have done, and when each bar closed; null where the budget of steps does not suffice. */
export type TestResult = (TestRun & { readonly closes: Float64Array }) | null;

/** Tries a rule over bars, in a thread. */
export default function test({ when, rearm, terms, candles, calendar, from }: TestTask): TestResult {
  const hours = calendarOf(calendar);
  const closes = candles.time.map((time) => barClose(hours, candles.interval, time));
  const rule = { when, rearm, terms: triggerTerms(terms) };
  const run = lendingColumns(() => testRule(rule, { candles }, closes, from));
  return run === null ? null : { ...run, closes };
}
