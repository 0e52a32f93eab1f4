/**
 * Every error that may cross an edge: its HTTP status, whether the same request may succeed later, and the
 * title that stays the same for each occurrence. The detail says what was wrong this time.
 */
export const ERRORS = {
  invalid_request: { status: 400, retryable: false, title: "The request is not valid" },
  symbol_invalid: { status: 400, retryable: false, title: "The text is not a symbol" },
  interval_unavailable: {
    status: 400,
    retryable: false,
    title: "No source has this interval for the symbol",
  },
  scanner_already_active: { status: 400, retryable: false, title: "The scanner is already active" },
  unauthenticated: { status: 401, retryable: false, title: "Authentication is required" },
  forbidden: { status: 403, retryable: false, title: "The role does not permit this" },
  origin_refused: { status: 403, retryable: false, title: "The origin is not on the list" },
  route_not_found: { status: 404, retryable: false, title: "No such route" },
  symbol_unknown: { status: 404, retryable: false, title: "No source knows the symbol" },
  source_missing: { status: 404, retryable: false, title: "No configured source has this kind of data" },
  no_data: { status: 404, retryable: false, title: "There is no data for the request" },
  no_pattern: { status: 404, retryable: false, title: "No pattern is on the newest bars" },
  adjustment_unavailable: { status: 404, retryable: false, title: "Prices cannot be given in this view" },
  detection_not_found: { status: 404, retryable: false, title: "No such detection" },
  alert_not_found: { status: 404, retryable: false, title: "No such alert" },
  user_not_found: { status: 404, retryable: false, title: "No such user" },
  api_key_not_found: { status: 404, retryable: false, title: "No such API key" },
  indicator_unknown: { status: 404, retryable: false, title: "No such indicator" },
  pattern_unknown: { status: 404, retryable: false, title: "No such pattern" },
  account_not_found: { status: 404, retryable: false, title: "No such account" },
  order_not_found: { status: 404, retryable: false, title: "No such order" },
  position_not_found: { status: 404, retryable: false, title: "Nothing is held of the symbol" },
  trade_not_found: { status: 404, retryable: false, title: "No such trade" },
  watchlist_not_found: { status: 404, retryable: false, title: "No such watchlist" },
  rule_not_found: { status: 404, retryable: false, title: "No such rule" },
  strategy_unknown: { status: 404, retryable: false, title: "No such strategy" },
  backtest_not_found: { status: 404, retryable: false, title: "No such backtest" },
  job_not_found: { status: 404, retryable: false, title: "No such job" },
  job_kind_unknown: { status: 404, retryable: false, title: "No such kind of job" },
  options_unavailable: { status: 404, retryable: false, title: "No source has options on the underlying" },
  expiry_unknown: { status: 404, retryable: false, title: "No options expire on that day" },
  model_not_found: { status: 404, retryable: false, title: "No such version of a model" },
  no_model: { status: 404, retryable: true, title: "No model has been promoted for this" },
  tool_unknown: { status: 404, retryable: false, title: "No such tool" },
  channel_not_found: { status: 404, retryable: false, title: "No such channel of notifications" },
  delivery_not_found: { status: 404, retryable: false, title: "No such delivery" },
  score_not_found: { status: 404, retryable: false, title: "No such score" },
  hook_not_found: { status: 404, retryable: false, title: "No such hook" },
  method_not_allowed: { status: 405, retryable: false, title: "The method is not supported here" },
  request_timeout: { status: 408, retryable: true, title: "The request took too long to arrive" },
  confirmation_refused: { status: 409, retryable: false, title: "The confirmation does not stand for this" },
  conflict: { status: 409, retryable: false, title: "The request contradicts the present state" },
  promotion_refused: { status: 409, retryable: false, title: "The rules of promotion refuse the version" },
  account_closed: { status: 409, retryable: false, title: "The account is closed" },
  trading_halted: { status: 409, retryable: false, title: "Trading of the account is halted" },
  job_result_absent: { status: 409, retryable: false, title: "The job has no result" },
  gone: { status: 410, retryable: false, title: "The address is no longer served" },
  body_too_large: { status: 413, retryable: false, title: "The body is too large" },
  uri_too_long: { status: 414, retryable: false, title: "The address is too long" },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    title: "The body's type or encoding is not supported",
  },
  model_refused: {
    status: 422,
    retryable: false,
    title: "The model is not whole, or not one for this server",
  },
  order_refused: { status: 422, retryable: false, title: "The order is refused" },
  idempotency_key_reused: {
    status: 422,
    retryable: false,
    title: "The idempotency key belongs to another order",
  },
  strategy_unfit: { status: 422, retryable: false, title: "The data lack what the strategy needs" },
  address_refused: { status: 422, retryable: false, title: "The address may not be spoken to" },
  channel_unavailable: { status: 422, retryable: false, title: "The server cannot use such channels" },
  job_limit_exceeded: { status: 422, retryable: false, title: "A limit of jobs is exceeded" },
  upgrade_required: { status: 426, retryable: false, title: "This address speaks WebSocket" },
  rate_limited: { status: 429, retryable: true, title: "Too many requests" },
  headers_too_large: { status: 431, retryable: false, title: "The headers are too large" },
  internal: { status: 500, retryable: false, title: "The server failed" },
  database_unavailable: { status: 503, retryable: true, title: "The database does not answer" },
  provider_unavailable: { status: 503, retryable: true, title: "No market data source answers" },
  hook_busy: { status: 503, retryable: true, title: "The hook is called too often" },
  overloaded: { status: 503, retryable: true, title: "The server is overloaded" },
  pipeline_elsewhere: { status: 503, retryable: true, title: "Another process takes ticks" },
  shutting_down: { status: 503, retryable: true, title: "The server is shutting down" },
  timed_out: { status: 503, retryable: true, title: "The answer took too long" },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Facts for the log; never shown to the caller. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** What the caller may do next, in whole seconds; answered as `Retry-After`. */
  readonly retryAfterS?: number;
  /** Each reason by itself, shown to the caller. */
  readonly problems?: readonly Problem[];
}

/** One of the reasons of an error: what it is about, in words, and its code where it has one. */
export interface Problem {
  readonly path: string;
  readonly message: string;
  readonly code?: string;
}

/** An expected failure at an edge. `detail` is shown to the caller: no secrets, no internals. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly retryAfterS: number | null;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
    this.problems = options.problems ?? [];
    this.retryAfterS = options.retryAfterS ?? (ERRORS[code].retryable ? 1 : null);
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
