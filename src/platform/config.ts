import { isIPv4 } from "node:net";
import type { z } from "zod";
import { VARIABLES, type Variable } from "./variables.js";

type Table = typeof VARIABLES;
type Name = keyof Table;

/** Values by variable name; variables without a fallback may be undefined. */
export type Config = Readonly<{
  [K in Name]: Table[K] extends { fallback: string }
    ? z.output<Table[K]["read"]>
    : z.output<Table[K]["read"]> | undefined;
}>;

/** All that is wrong with the environment, at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** @throws {ConfigError} naming every variable that is missing, malformed or contradicts another. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries<Variable>(VARIABLES)) {
    const text = environment[name]?.trim() || variable.fallback;
    if (text === undefined) continue;
    const read = variable.read.safeParse(text);
    if (read.success) values[name] = read.data;
    else problems.push(...read.error.issues.map((issue) => `${name}: ${issue.message}`));
  }
  problems.push(...contradictions(values));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values as Config);
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

const WEAK_SECRET =
  /^(.)\1*$|change|secret|password|default|example|development|placeholder|replace|12345678|abcdef/i;

function secretProblem(name: string, value: string | undefined): string | null {
  if (value === undefined) return `${name} is required here`;
  if (value.length < 32) return `${name} has ${value.length} characters; at least 32 are required`;
  if (WEAK_SECRET.test(value)) return `${name} looks like a placeholder; use random characters`;
  return null;
}

/** What a source cannot be asked without. */
const SOURCE_KEYS = {
  tradier: "TRADIER_ACCESS_TOKEN",
  upstox: "UPSTOX_ACCESS_TOKEN",
  polygon: "POLYGON_API_KEY",
  finnhub: "FINNHUB_API_KEY",
  alphavantage: "ALPHAVANTAGE_API_KEY",
} as const satisfies Record<string, Name>;

const CLASS_LISTS = [
  "MARKET_DATA_EQUITY",
  "MARKET_DATA_CRYPTO",
  "MARKET_DATA_FX",
  "MARKET_DATA_INDIA",
] as const;

function strangersOf(name: (typeof CLASS_LISTS)[number], config: Partial<Config>): string | null {
  const strangers = (config[name] ?? []).filter((source) => config.MARKET_DATA?.includes(source) === false);
  return strangers.length === 0 ? null : `${name} lists ${strangers.join(", ")}, which MARKET_DATA does not`;
}

/** @param config only what could be read: nothing is said of a variable that is malformed itself. */
function contradictions(config: Partial<Config>): string[] {
  const { HOST, MARKET_DATA = [], FILES_REPLAY_SPEED = 0, SECRET_KEY, ADMIN_API_KEY } = config;
  const problems: (string | null)[] = CLASS_LISTS.map((name) => strangersOf(name, config));
  if ((config.ROLE === "server" || config.ROLE === "worker") && config.DATABASE_URL === undefined) {
    problems.push(
      `DATABASE_URL is required when ROLE is ${config.ROLE}: jobs pass through a shared database`,
    );
  }
  for (const source of config.STREAM_SOURCES ?? []) {
    if (MARKET_DATA.includes(source)) continue;
    problems.push(`STREAM_SOURCES lists ${source}, which MARKET_DATA does not`);
  }
  if (MARKET_DATA.includes("files") && config.FILES_DIR === undefined) {
    problems.push("FILES_DIR is required when MARKET_DATA lists files");
  }
  for (const [source, key] of Object.entries(SOURCE_KEYS)) {
    if ((MARKET_DATA as readonly string[]).includes(source) && config[key] === undefined) {
      problems.push(`${key} is required when MARKET_DATA lists ${source}`);
    }
  }
  if (FILES_REPLAY_SPEED > 0 && config.FILES_REPLAY_FROM === undefined) {
    problems.push("FILES_REPLAY_FROM is required when FILES_REPLAY_SPEED is not 0");
  }
  if ((config.REDDIT_CLIENT_ID === undefined) !== (config.REDDIT_CLIENT_SECRET === undefined)) {
    problems.push("REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are given together or not at all");
  }
  if (HOST !== undefined && !isLoopback(HOST) && config.ALLOW_ANONYMOUS === false) {
    const why = `HOST ${HOST} is beyond loopback: give SECRET_KEY and ADMIN_API_KEY, or ALLOW_ANONYMOUS=true`;
    if (SECRET_KEY === undefined || ADMIN_API_KEY === undefined) problems.push(why);
  }
  if (config.EVENT_STREAM !== undefined && config.REDIS_URL === undefined)
    problems.push("REDIS_URL is required with EVENT_STREAM");
  if (isProduction(config) || SECRET_KEY !== undefined) {
    problems.push(secretProblem("SECRET_KEY", SECRET_KEY));
  }
  if (ADMIN_API_KEY !== undefined) {
    problems.push(secretProblem("ADMIN_API_KEY", ADMIN_API_KEY));
    if (ADMIN_API_KEY === SECRET_KEY) problems.push("ADMIN_API_KEY must differ from SECRET_KEY");
  }
  return problems.filter((problem) => problem !== null);
}

/** Whether others than its developers are served. */
export function isProduction(config: Partial<Config>): boolean {
  return config.NODE_ENV === "production";
}

/** What compose.yaml reads beside the variables above. */
const COMPOSE_SECTION = `## Compose
# Password of the Postgres that compose.yaml starts; required there
# POSTGRES_PASSWORD=
# Password of the Redis that compose.yaml starts
# REDIS_PASSWORD=tx-cache
`;

/** Values that no log line, answer or report may hold: keys, and addresses with a password in them. */
export function secretsOf(config: Config): string[] {
  const { SECRET_KEY, ADMIN_API_KEY, DATABASE_URL, REDIS_URL, RATELIMIT_STORAGE_URI, SENTRY_DSN } = config;
  const keys = Object.values(SOURCE_KEYS).map((name) => config[name]);
  const given = [
    SECRET_KEY,
    ADMIN_API_KEY,
    DATABASE_URL,
    REDIS_URL,
    RATELIMIT_STORAGE_URI,
    SENTRY_DSN,
    ...keys,
    config.REDDIT_CLIENT_SECRET,
    config.TWITTER_BEARER_TOKEN,
    config.TELEGRAM_BOT_TOKEN,
    config.SMTP_URL,
    config.VAPID_PRIVATE_KEY,
  ];
  return given.filter((value) => value !== undefined);
}

/** The text that `.env.example` must have. */
export function exampleEnvironment(): string {
  const groups = new Map<string, string[]>();
  for (const [name, { group, about, fallback }] of Object.entries<Variable>(VARIABLES)) {
    const lines = groups.get(group) ?? [];
    groups.set(group, lines);
    lines.push(`# ${about}`, fallback === undefined ? `# ${name}=` : `# ${name}=${fallback}`);
  }
  const sections = [...groups].map(([group, lines]) => `## ${group}\n${lines.join("\n")}\n`);
  sections.push(COMPOSE_SECTION);
  return `# Copy to .env; every line is optional and shows its default.\n\n${sections.join("\n")}`;
}
