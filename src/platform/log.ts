import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";

export type Log = Logger;

/** Paths whose values never reach a log line, wherever a request, error or config object is logged. */
const SECRET_PATHS = [
  "authorization",
  "cookie",
  "password",
  "token",
  "secret",
  "apiKey",
  "api_key",
  "x-api-key",
  "apca-api-secret-key",
].flatMap((key) => [
  `["${key}"]`,
  `*["${key}"]`,
  `*.*["${key}"]`,
  `headers["${key}"]`,
  `req.headers["${key}"]`,
]);

/** Shapes of secrets in free text: credentials in addresses, keys in query strings, bearer tokens. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)[^\s@"\\/]+@/gi, "$1[secret]@"],
  [/([?&](?:[a-z_-]*(?:key|token|secret|password|signature|crumb))=)[^&\s"\\#]+/gi, "$1[secret]"],
  [/(\bBearer\s+)[\w.~+/-]{8,}=*/gi, "$1[secret]"],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[secret]"],
];

/**
 * A function that removes known secret values and secret-looking parts from a text.
 * @param secrets values such as keys and passwords; those under 6 characters are ignored.
 */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const values = [...new Set(secrets.flatMap((value) => [value, encodeURIComponent(value)]))]
    .filter((value) => value.length >= 6)
    .sort((a, b) => b.length - a.length)
    .map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const known = values.length > 0 ? new RegExp(values.join("|"), "g") : null;
  return (text) => {
    let clean = known === null ? text : text.replace(known, "[secret]");
    for (const [shape, replacement] of SECRET_SHAPES) clean = clean.replace(shape, replacement);
    return clean;
  };
}

export interface LogOptions {
  readonly level: string;
  /** JSON lines; otherwise readable lines. */
  readonly structured: boolean;
  readonly scrub: (text: string) => string;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

export function createLog({ level, structured, scrub, destination }: LogOptions): Log {
  const stream =
    destination ?? (structured ? undefined : pretty({ translateTime: "HH:MM:ss.l", sync: true }));
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: "[secret]" },
    hooks: { streamWrite: scrub },
  };
  return stream === undefined ? pino(options) : pino(options, stream);
}
