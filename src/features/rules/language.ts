import { zoneOf } from "../../core/market/zone.js";
import { checkCondition } from "../../core/rules/check.js";
import { type Condition, nodesOf } from "../../core/rules/condition.js";
import { parseRule } from "../../core/rules/parse.js";
import { printRule } from "../../core/rules/print.js";
import type { SyntaxProblem } from "../../core/rules/tokens.js";
import type { Frequency, QuietPolicy, TriggerTerms } from "../../core/rules/trigger.js";
import { AppError, type Problem } from "../../platform/errors.js";

/** When a rule fires beside its condition, as it is kept: times of the day as texts, zones by name. */
export interface RuleTerms {
  readonly frequency: Frequency;
  readonly cooldownS: number;
  /** Epoch ms. */
  readonly expiresAt: number | null;
  readonly quiet: {
    readonly zone: string;
    readonly from: string;
    readonly until: string;
    readonly policy: QuietPolicy;
  } | null;
  readonly digest: { readonly zone: string; readonly at: string } | null;
}

/** A condition as a request gives it: an expression, or the JSON form. */
export type GivenCondition = string | Readonly<Record<string, unknown>>;

const MOST_EXPECTED = 12;

/**
 * The condition that a request gives. @param field the name that it has there.
 * @throws {AppError} `invalid_request` that names each problem, with its place in an expression or its path in the JSON.
 */
export function readCondition(given: GivenCondition, field: string): Condition {
  const condition = typeof given === "string" ? readExpression(given, field) : readForm(given, field);
  const past = nodesOf(condition).find(
    (node) =>
      (node.kind === "cross" || node.kind === "for") && nodesOf(node).some(({ kind }) => kind === "fact"),
  );
  if (past === undefined) return condition;
  const message = `${printRule(past)}: what is known beside bars has no past here; compare it, and the rule fires when that becomes true`;
  throw refused([{ path: field, message, code: "no_past" }]);
}

function readExpression(text: string, field: string): Condition {
  const { condition, problem } = parseRule(text);
  if (condition !== null) return condition;
  throw refused([{ path: field, message: syntaxText(problem), code: "syntax" }]);
}

function syntaxText({ position, message, expected }: SyntaxProblem): string {
  const shown = expected.slice(0, MOST_EXPECTED).join(", ");
  const more = expected.length > MOST_EXPECTED ? ` and ${expected.length - MOST_EXPECTED} more` : "";
  const wanted = expected.length === 0 ? "" : `; expected ${shown}${more}`;
  return `at character ${position + 1}: ${message}${wanted}`;
}

function readForm(given: unknown, field: string): Condition {
  const { condition, problems } = checkCondition(given);
  if (condition !== null) return condition;
  throw refused(
    problems.map(({ path, message }) => ({
      path: path === "" ? field : `${field}.${path}`,
      message,
      code: "form",
    })),
  );
}

function refused(problems: readonly Problem[]): AppError {
  const [{ path, message }] = problems;
  return new AppError("invalid_request", `body: ${path}: ${message}`, { problems });
}

/** The terms as the trigger reads them. */
export function triggerTerms({ frequency, cooldownS, expiresAt, quiet, digest }: RuleTerms): TriggerTerms {
  return {
    frequency,
    cooldownMs: 1_000 * cooldownS,
    expiresAt,
    quiet:
      quiet === null
        ? null
        : {
            zone: zoneOf(quiet.zone),
            from: minuteOf(quiet.from),
            until: minuteOf(quiet.until),
            policy: quiet.policy,
          },
    digest: digest === null ? null : { zone: zoneOf(digest.zone), minute: minuteOf(digest.at) },
  };
}

function minuteOf(text: string): number {
  const [hours, minutes] = text.split(":").map(Number);
  return 60 * hours + minutes;
}
