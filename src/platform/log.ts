import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";

export type Log = Logger;

/** Names of what never reaches a log line, wherever a request, error or config object is logged. */
const SECRET_PATHS = [
  "authorization",
  "cookie",
  "set-cookie",
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

/** Parts of names, for places and spellings that no path reaches. Lengths are bounded to bound the search. */
const SECRET_NAME =
  "[\\w-]{0,40}(?:authorization|cookie|passw(?:or)?d|secret|token|api[_-]?key|signature|crumb)";

/** Shapes of secrets in the JSON of a line; each search takes time in proportion to the text. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  // Credentials in addresses, up to the last @ before the path.
  [/((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)[^\s"\\/]+@/gi, "$1[secret]@"],
  [/(\bBearer\s+)[\w.~+/-]{8,}=*/gi, "$1[secret]"],
  [/(\b[Bb]asic\s+)(?=[a-z]{0,200}[^a-z\s])[\w+/-]{8,}=*/g, "$1[secret]"],
  // JSON web tokens, and the API keys of this server.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[secret]"],
  [/(?<!\w)tx_[\w-]{43}/g, "[secret]"],
  // Values of fields, and of fields of JSON within a text of JSON.
  [new RegExp(`("${SECRET_NAME}[\\w-]{0,40}"\\s*:\\s*")(?:[^"\\\\]|\\\\.)+`, "gi"), "$1[secret]"],
  [
    new RegExp(
      `(\\\\"${SECRET_NAME}[\\w-]{0,40}\\\\"\\s*:\\s*\\\\")(?:[^"\\\\]|\\\\\\\\(?:\\\\["\\\\]|[^"\\\\]))+`,
      "gi",
    ),
    "$1[secret]",
  ],
  // Parameters of addresses, encoded ones too, and names with values in free text.
  [/([?&][a-z_-]{0,40}key=)[^&\s"\\#]+/gi, "$1[secret]"],
  [
    new RegExp(`((?<![\\w-])${SECRET_NAME}\\s?[=:]\\s?)(?!\\[secret\\])[^&\\s"\\\\#,;]{4,}`, "gi"),
    "$1[secret]",
  ],
  [new RegExp(`(${SECRET_NAME}%3D)(?:(?!%26)[^&\\s"\\\\#])+`, "gi"), "$1[secret]"],
];

/** Ways in which a value may be written in a text. */
function spellings(value: string): string[] {
  const encoded = [encodeURIComponent(value), new URLSearchParams({ "": value }).toString().slice(1)];
  const bytes = Buffer.from(value);
  return [
    value,
    ...encoded,
    ...encoded.map((text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
}

/** Pattern of a text as it stands or in JSON, JSON within JSON and so on: each level adds backslashes. */
function patternOf(text: string): string {
  return text
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("\\\\", "\\\\+")
    .replaceAll('"', '\\\\*"')
    .replace(/[\n\r\t]/g, (character) => `(?:${character}|\\\\+${JSON.stringify(character)[2]})`);
}

/** The value and, of an address, what gives access there. */
function secretParts(value: string): string[] {
  if (!URL.canParse(value)) return [value];
  const { username, password, protocol } = new URL(value);
  const key = password === "" && protocol.startsWith("http") ? username : password;
  return [value, key, decodeURIComponent(key)];
}

/**
 * A function that removes known secret values and secret-looking parts from a text.
 * @param secrets values such as keys, passwords and addresses; parts under 6 characters are ignored.
 */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const parts = secrets.flatMap(secretParts).filter((value) => value.length >= 6);
  const values = [...new Set(parts.flatMap(spellings))].sort((a, b) => b.length - a.length).map(patternOf);
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
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: "[secret]" },
    hooks: { streamWrite: structured ? scrub : (line: string) => visible(scrub(line)) },
  };
  if (!structured) return pino(options, readable(destination));
  return destination === undefined ? pino(options) : pino(options, destination);
}

function readable(destination: DestinationStream | undefined): DestinationStream {
  return pretty({
    translateTime: "HH:MM:ss.l",
    sync: true,
    colorize: destination === undefined && process.stdout.isTTY,
    messageFormat: (log, key) => String(log[key] ?? "").replaceAll("\n", "\\n"),
    ...(destination === undefined ? {} : { destination }),
  });
}

/**
 * Line of JSON in which control characters but the line feed stand for themselves once it is read, so that no
 * text of a user moves the cursor or colours a terminal.
 */
function visible(line: string): string {
  return line
    .replace(/\\(?:\\|u00[01][0-9a-f]|[bfr])/g, (found) => (found === "\\\\" ? found : `\\${found}`))
    .replace(/[\u007f-\u009f]/g, (found) => `\\\\u00${found.charCodeAt(0).toString(16)}`);
}
