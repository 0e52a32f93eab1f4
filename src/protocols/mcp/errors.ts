import type { AppError, ErrorCode, Problem } from "../../platform/errors.js";
import { ERRORS } from "../../platform/errors.js";

/** What a caller may do about an error, for codes whose detail does not say so. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  invalid_request: "Correct the arguments that are named; the input schema of the tool has types and bounds.",
  symbol_invalid: "Use a ticker such as AAPL, BTC-USD or EURUSD=X.",
  symbol_unknown: "Check the spelling; scan_market lists symbols that have prices here.",
  interval_unavailable: "Ask for another interval, for example 1d.",
  no_data: "Ask for another interval or symbol: there are no bars for this one.",
  alert_not_found: "list_alerts has the ids of alerts.",
  order_not_found: "list_orders has the ids of orders; status all lists ended ones, too.",
  account_not_found: "Leave account_id out for the usual account of the caller.",
  strategy_unknown: "Use one of the ids that the message lists.",
  pattern_unknown: "detect_patterns has the names of patterns.",
  job_not_found: "Use the job_id that run_backtest answered with.",
  confirmation_refused:
    "Call preview_order with the arguments that are meant, show the result to the user, and pass its confirm_token with the same arguments to place_order, once and within five minutes.",
  order_refused: "Change what the problems name and preview the order again.",
  trading_halted: "The owner has halted the account; nothing may be opened until it is resumed.",
  tool_unknown:
    "tools/list has the tools of this caller. Order tools need MCP_ORDERS=true and a trader's API key.",
  forbidden: "This takes the key of a trader.",
  job_limit_exceeded: "Wait for a job to end, or order less.",
};

export interface Failure {
  readonly mode: "paper";
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly problems?: readonly Problem[];
}

/** An error as a model reads it. */
export function failureOf({ code, message, problems, retryAfterS }: AppError): Failure {
  const { retryable } = ERRORS[code];
  const again = retryable
    ? `The same call may succeed in ${retryAfterS ?? 1} s.`
    : "The same call fails again.";
  return {
    mode: "paper",
    code,
    message,
    hint: HINTS[code] ?? again,
    retryable,
    ...(problems.length === 0 ? {} : { problems }),
  };
}
