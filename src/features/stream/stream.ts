import { normaliseSymbol } from "../../core/market/instrument.js";
import { parseInterval } from "../../core/market/interval.js";
import type { Bus } from "../../platform/bus.js";
import { AppError } from "../../platform/errors.js";
import {
  type EventLog,
  eventCommitted,
  type LoggedEvent,
  type Notice,
  noticeHeard,
} from "../../platform/event-log.js";
import type { Principal } from "../../platform/http.js";
import { isoTime } from "../../platform/http.js";
import { JOB_TOPIC, topicOfJob } from "../../platform/jobs.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import { ALERT_TOPIC, SCAN_TOPIC } from "../alerts/topics.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Jobs } from "../jobs/jobs.js";
import { MODEL_TOPIC } from "../models/topics.js";
import type { Accounts } from "../paper-trades/accounts.js";
import { ACCOUNT_TOPIC, topicOfAccount } from "../paper-trades/topics.js";
import { BAR_TOPIC, DECISION_TOPIC, SYNERGY_TOPIC } from "../pipeline/topics.js";
import { QUALITY_TOPIC } from "../quality/topics.js";

/** A kind of topic: how it is written, whether it can be resumed, and what its events carry. */
export interface TopicKind {
  readonly name: string;
  readonly form: string;
  /** True when events are numbered and kept, so that a subscriber can ask for those it missed. */
  readonly kept: boolean;
  readonly description: string;
}

export const TOPICS: readonly TopicKind[] = Object.freeze([
  { name: ALERT_TOPIC, form: ALERT_TOPIC, kept: true, description: "Alerts as they are raised and answered" },
  { name: SCAN_TOPIC, form: SCAN_TOPIC, kept: true, description: "Scans as they finish" },
  {
    name: QUALITY_TOPIC,
    form: QUALITY_TOPIC,
    kept: true,
    description: "Findings in data, as they are found",
  },
  {
    name: "candles",
    form: "candles:SYMBOL:INTERVAL",
    kept: false,
    description: "Bars of a scanned symbol as they close",
  },
  {
    name: BAR_TOPIC,
    form: `${BAR_TOPIC}:SYMBOL:INTERVAL`,
    kept: false,
    description: "Bars made of ticks, as they close",
  },
  { name: SYNERGY_TOPIC, form: SYNERGY_TOPIC, kept: true, description: "Synergies as they are complete" },
  {
    name: DECISION_TOPIC,
    form: DECISION_TOPIC,
    kept: true,
    description: "What the rule made of synergies, with the first rule that refused",
  },
  {
    name: MODEL_TOPIC,
    form: MODEL_TOPIC,
    kept: true,
    description: "Versions of models as they are tried, promoted, taken back and retired",
  },
  { name: JOB_TOPIC, form: `${JOB_TOPIC}:ID`, kept: true, description: "States of a job of one's own" },
  {
    name: ACCOUNT_TOPIC,
    form: `${ACCOUNT_TOPIC}:ID`,
    kept: true,
    description: "What happens to the orders, positions and money of a paper account of one's own",
  },
]);

export interface Replay {
  readonly events: readonly { readonly seq: number; readonly frame: string }[];
  /** Number of the last event replayed, to resume from; the number asked for when there was none. */
  readonly seq: number;
  /** True when there are more than are replayed at once: go on from `seq`. */
  readonly more: boolean;
  /** True when the event asked for is no longer kept, and with it perhaps others: read the REST lists. */
  readonly forgotten: boolean;
}

/** @param seq place among the events of a kept topic, null for the others. */
export type FrameListener = (topic: string, frame: string, seq: number | null) => void;

/** What is published, as text frames by topic. */
export interface Stream {
  /** The one spelling of a topic. @throws {AppError} `invalid_request` for what is no topic. */
  topicOf(text: string): string;
  /** @throws {AppError} `job_not_found`, `account_not_found` for the topic of somebody else's, or of none. */
  admit(topic: string, principal: Principal): Promise<void>;
  onFrame(listener: FrameListener): void;
  /** Events of one kept topic or several after a number, in their one order; nothing for others. */
  replay(topics: string | readonly string[], since: number): Promise<Replay>;
  /** Number of the newest event of kept topics; 0 without one. */
  newestOf(topics: readonly string[]): Promise<number>;
  /** Forgets events that nobody will resume from. */
  readonly pruning: LoopDefinition;
}

const REPLAY_LIMIT = 1_000;
const KEEP_MS = 48 * 3_600_000;
const PRUNE_EVERY_MS = 600_000;

export function createStream(options: {
  eventLog: EventLog;
  bus: Bus;
  instruments: Instruments;
  jobs: Pick<Jobs, "get">;
  accounts: Pick<Accounts, "find">;
  metrics: Metrics;
  now: () => number;
}): Stream {
  const { eventLog, bus, instruments, jobs, accounts, metrics, now } = options;
  const listeners: FrameListener[] = [];

  function publish(topic: string, frame: string, seq: number | null): void {
    for (const listener of listeners) listener(topic, frame, seq);
  }
  bus.subscribe(eventCommitted, (event) => {
    if (event.topic === ALERT_TOPIC)
      metrics.alertDelaySeconds.observe(Math.max(0, now() - event.time) / 1_000);
    publish(event.topic, eventFrame(event), event.seq);
  });
  bus.subscribe(noticeHeard, (notice) => publish(notice.topic, noticeFrame(notice, now()), null));

  return {
    topicOf(text) {
      if (TOPICS.some(({ form, kept }) => kept && form === text && !form.includes(":"))) return text;
      const job = jobOf(text);
      if (job !== null) return topicOfJob(job);
      const account = accountOf(text);
      if (account !== null) return topicOfAccount(account);
      const [name, symbol, intervalText, ...rest] = text.split(":");
      const interval = parseInterval(intervalText ?? "");
      if (symbol !== undefined && interval !== null && rest.length === 0) {
        if (name === "candles") return `candles:${instruments.identify(symbol).symbol}:${interval}`;
        // Ticks may be of what no source has candles of.
        const normal = name === BAR_TOPIC ? normaliseSymbol(symbol) : null;
        if (normal !== null) return `${BAR_TOPIC}:${normal}:${interval}`;
      }
      const forms = TOPICS.map(({ form }) => form).join(", ");
      throw new AppError("invalid_request", `${text.slice(0, 80)} is no topic; topics are ${forms}`);
    },
    async admit(topic, principal) {
      const job = jobOf(topic);
      if (job !== null) await jobs.get(principal, job);
      const account = accountOf(topic);
      if (account !== null) await accounts.find(principal.userId, account);
    },
    onFrame: (listener) => void listeners.push(listener),
    async replay(given, since) {
      const topics = [given].flat().filter(isKept);
      if (topics.length === 0) return { events: [], seq: since, more: false, forgotten: false };
      // The event asked for is read too: while it is there, none after it has been forgotten.
      const events = await eventLog.readAfter(topics, Math.max(0, since - 1), REPLAY_LIMIT + 2);
      const missed = events.filter(({ seq }) => seq > since);
      const replayed = missed.slice(0, REPLAY_LIMIT);
      const forgotten = since > 0 && events[0]?.seq !== since;
      // A number that was never given out, of another database or an earlier state of this one, must not count as seen.
      const reached =
        missed.length === 0 && forgotten ? Math.min(since, await eventLog.newestOf(topics)) : since;
      return {
        events: replayed.map((event) => {
          const previousSeq = Math.max(since, event.previousSeq);
          return { seq: event.seq, frame: eventFrame({ ...event, previousSeq }) };
        }),
        seq: replayed.at(-1)?.seq ?? reached,
        more: missed.length > REPLAY_LIMIT,
        forgotten,
      };
    },
    newestOf: (topics) => eventLog.newestOf(topics.filter(isKept)),
    pruning: {
      name: "event-pruning",
      everyMs: () => PRUNE_EVERY_MS,
      timeoutMs: 60_000,
      run: async () => {
        await eventLog.prune(KEEP_MS);
      },
    },
  };
}

/** Whether events of a topic are numbered and kept. */
export function isKept(topic: string): boolean {
  const [name] = topic.split(":");
  return TOPICS.some((kind) => kind.kept && kind.name === name);
}

/** The job that a topic is of; null for other topics. */
function jobOf(topic: string): number | null {
  const id = /^jobs:([1-9]\d{0,14})$/.exec(topic)?.[1];
  return id === undefined ? null : Number(id);
}

/** The account that a topic is of; null for other topics. */
function accountOf(text: string): string | null {
  return /^account:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text)?.[1] ?? null;
}

function eventFrame({ topic, seq, previousSeq, time, payload }: LoggedEvent): string {
  return JSON.stringify({
    type: "event",
    topic,
    seq,
    previous_seq: previousSeq,
    time: isoTime(time),
    data: payload,
  });
}

function noticeFrame({ topic, payload }: Notice, nowMs: number): string {
  return JSON.stringify({
    type: "event",
    topic,
    seq: null,
    previous_seq: null,
    time: isoTime(nowMs),
    data: payload,
  });
}
