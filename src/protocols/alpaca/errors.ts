import { AppError, type ErrorCode } from "../../platform/errors.js";

/** The body of an error, with further fields that some errors have. */
export interface ErrorBody {
  readonly code: number;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** An error in the words of the dialect, for those that have a code or fields of their own. */
export class DialectError extends Error {
  override readonly name = "DialectError";
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/**
 * Codes that the dialect has of its own; the first three digits are a status. Whatever is not here has that of its
 * status and four zeros.
 */
const CODES: Readonly<Partial<Record<ErrorCode, readonly [status: number, code: number]>>> = {
  invalid_request: [400, 40010001],
  symbol_invalid: [400, 40010001],
  interval_unavailable: [400, 40010001],
  adjustment_unavailable: [422, 42210000],
  conflict: [422, 42210000],
  account_closed: [403, 40310000],
  trading_halted: [403, 40310000],
  confirmation_refused: [403, 40310000],
  idempotency_key_reused: [422, 40010001],
};

/** Status and body of an error as the dialect has it. */
export function dialectError(error: AppError): { readonly status: number; readonly body: ErrorBody } {
  const [status, code] = CODES[error.code] ?? [error.status, error.status * 100_000 + 10_000];
  const message = error.code === "rate_limited" ? "rate limit exceeded" : error.message;
  return { status, body: { code, message } };
}

/** Statuses that any answer of the dialect may have. */
export const ERROR_STATUSES: Readonly<Record<number, string>> = {
  400: "A parameter is not valid",
  401: "The key is missing, or it and its secret do not belong together",
  403: "The key does not permit this",
  404: "There is no such thing, or no data of it",
  408: "The request took too long to arrive",
  413: "The body is too large",
  414: "The address is too long",
  415: "The body is not JSON",
  422: "The request cannot be done as things are",
  429: "Too many requests within a minute",
  500: "The server failed",
  503: "The server or its sources do not answer now",
};

/** What is not found, in the dialect's way of saying so. */
export function notFound(message: string): DialectError {
  return new DialectError(404, { code: 40410000, message });
}

/** A parameter that is not valid. */
export function invalid(message: string): AppError {
  return new AppError("invalid_request", message);
}
