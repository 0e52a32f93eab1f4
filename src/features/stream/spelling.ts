import { normaliseSymbol } from "../../core/market/instrument.js";
import { parseInterval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { topicOfJob } from "../../platform/jobs.js";
import type { Instruments } from "../instruments/instruments.js";
import { BAR_TOPIC } from "../pipeline/topics.js";
import { topicOfRules, userOfTopic } from "../rules/topics.js";
import { CANDLE_TOPIC, QUOTE_TOPIC, REGIME_TOPIC, TOPICS } from "./topics.js";

/** The one spelling of a topic. @throws {AppError} `invalid_request` for what is no topic. */
export function topicOf(text: string, instruments: Pick<Instruments, "identify">): string {
  if (TOPICS.some(({ form, kept }) => kept && form === text && !form.includes(":"))) return text;
  const job = jobOf(text);
  if (job !== null) return topicOfJob(job);
  if (accountOf(text) !== null || hookOf(text) !== null || channelOf(text) !== null) return text;
  const user = userOfTopic(text);
  if (user !== null) return topicOfRules(user);
  const ofSymbol = topicOfSymbol(text, instruments);
  if (ofSymbol !== null) return ofSymbol;
  const forms = TOPICS.map(({ form }) => form).join(", ");
  throw new AppError("invalid_request", `${text.slice(0, 80)} is no topic; topics are ${forms}`);
}

function topicOfSymbol(text: string, instruments: Pick<Instruments, "identify">): string | null {
  const [name, symbol, intervalText, ...rest] = text.split(":");
  if (symbol === undefined || rest.length > 0) return null;
  if (name === QUOTE_TOPIC && intervalText === undefined)
    return `${QUOTE_TOPIC}:${instruments.identify(symbol).symbol}`;
  const interval = parseInterval(intervalText ?? "");
  if (interval === null) return null;
  if (name === CANDLE_TOPIC || name === REGIME_TOPIC)
    return `${name}:${instruments.identify(symbol).symbol}:${interval}`;
  // Ticks may be of what no source has candles of.
  const normal = name === BAR_TOPIC ? normaliseSymbol(symbol) : null;
  return normal === null ? null : `${BAR_TOPIC}:${normal}:${interval}`;
}

/** The job that a topic is of; null for other topics. */
export function jobOf(topic: string): number | null {
  const id = /^jobs:([1-9]\d{0,14})$/.exec(topic)?.[1];
  return id === undefined ? null : Number(id);
}

/** The account that a topic is of; null for other topics. */
export function accountOf(text: string): string | null {
  return /^(?:account|portfolio):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text)?.[1] ?? null;
}

/** The hook that a topic is of; null for other topics. */
export function hookOf(text: string): string | null {
  return /^hooks:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text)?.[1] ?? null;
}

/** The channel of notifications that a topic is of; null for other topics. */
export function channelOf(text: string): string | null {
  return /^notifications:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text)?.[1] ?? null;
}
