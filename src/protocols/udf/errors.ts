import { AppError, type ErrorCode } from "../../platform/errors.js";

/** The body of every error of the protocol, whatever the status. */
export interface ErrorBody {
  readonly s: "error";
  readonly errmsg: string;
}

/** What the protocol has one word for. */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(["symbol_unknown", "symbol_invalid", "no_data"]);

export function errorBody(error: AppError): ErrorBody {
  return { s: "error", errmsg: UNKNOWN.has(error.code) ? "unknown_symbol" : error.message };
}

/** A parameter that is not valid. */
export function invalid(message: string): AppError {
  return new AppError("invalid_request", message);
}

/** Statuses that any answer of the protocol may have. */
export const ERROR_STATUSES: Readonly<Record<number, string>> = {
  400: "A parameter is not valid",
  401: "The key is missing, unknown, expired or revoked",
  403: "The key does not permit this",
  404: "No source knows the symbol",
  408: "The request took too long to arrive",
  414: "The address is too long",
  415: "The body has a content encoding",
  429: "Too many requests within a minute",
  500: "The server failed",
  503: "The server or its sources do not answer now",
};
