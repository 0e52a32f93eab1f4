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
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import { ALERT_TOPIC } from "../alerts/topics.js";
import type { Hooks } from "../hooks/hooks.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Jobs } from "../jobs/jobs.js";
import type { Notifications } from "../notifications/notifications.js";
import type { Accounts } from "../paper-trades/accounts.js";
import { userOfTopic } from "../rules/topics.js";
import type { BarWatchParts } from "./bars.js";
import { createFeeds } from "./feeds.js";
import type { ReadSnapshot } from "./snapshots.js";
import { accountOf, channelOf, hookOf, jobOf, topicOf } from "./spelling.js";
import { isKept } from "./topics.js";

export interface Replay {
  readonly events: readonly { readonly seq: number; readonly frame: string }[];
  /** Number of the last event replayed, to resume from; the number asked for when there was none. */
  readonly seq: number;
  /** True when there are more than are replayed at once: go on from `seq`. */
  readonly more: boolean;
  /** True when events after the number are no longer kept, or it is none that was given out: read the REST lists. */
  readonly forgotten: boolean;
}

/** @param seq place among the events of a kept topic, null for the others. */
export type FrameListener = (topic: string, frame: string, seq: number | null) => void;

/** What is published, as text frames by topic. */
export interface Stream {
  /** The one spelling of a topic. @throws {AppError} `invalid_request` for what is no topic. */
  topicOf(text: string): string;
  /**
   * @throws {AppError} `job_not_found`, `account_not_found`, `hook_not_found`, `channel_not_found`, `rule_not_found` for the
   * topic of somebody else's, or of none.
   */
  admit(topic: string, principal: Principal): Promise<void>;
  onFrame(listener: FrameListener): void;
  /**
   * What is true now of a topic that has snapshots, as a frame, and the number to resume from after it. Its data is null,
   * with why, where it cannot be had.
   */
  snapshot(topic: string, principal: Principal): Promise<{ frame: string; seq: number }>;
  /** Says that one more listens to a topic, and that one listens no more: some are looked at for listeners alone. */
  follow(topic: string, principal: Principal): void;
  leave(topic: string): void;
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

export interface StreamParts {
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly instruments: Instruments;
  readonly jobs: Pick<Jobs, "get">;
  readonly accounts: Pick<Accounts, "find">;
  readonly hooks: Pick<Hooks, "get">;
  readonly notifications: Pick<Notifications, "get">;
  readonly candles: BarWatchParts["candles"];
  readonly gateway: BarWatchParts["gateway"];
  readonly readSnapshot: ReadSnapshot;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

export function createStream(options: StreamParts): Stream {
  const { eventLog, bus, instruments, jobs, accounts, hooks, notifications, readSnapshot, metrics, now } =
    options;
  const listeners: FrameListener[] = [];

  function publish(topic: string, frame: string, seq: number | null): void {
    for (const listener of listeners) listener(topic, frame, seq);
  }
  bus.subscribe(eventCommitted, (event) => {
    if (event.topic === ALERT_TOPIC)
      metrics.alertDelaySeconds.observe(Math.max(0, now() - event.time) / 1_000);
    publish(event.topic, eventFrame(event), event.seq);
  });
  const tell = (notice: Notice) => publish(notice.topic, noticeFrame(notice, now()), null);
  const feeds = createFeeds({
    ...options,
    read: readSnapshot,
    tell: (topic, payload) => tell({ topic, payload }),
  });
  bus.subscribe(noticeHeard, (notice) => {
    if (feeds.isNews(notice.topic, notice.payload)) tell(notice);
  });

  return {
    topicOf: (text) => topicOf(text, instruments),
    async admit(topic, principal) {
      const job = jobOf(topic);
      if (job !== null) await jobs.get(principal, job);
      const account = accountOf(topic);
      if (account !== null) await accounts.find(principal.userId, account);
      const user = userOfTopic(topic);
      if (user !== null && user !== principal.userId) {
        throw new AppError("rule_not_found", "The topic is of the rules of somebody else");
      }
      const hook = hookOf(topic);
      if (hook !== null) await hooks.get(principal.userId, hook);
      const channel = channelOf(topic);
      if (channel !== null) await notifications.get(principal.userId, channel);
    },
    onFrame: (listener) => void listeners.push(listener),
    async snapshot(topic, principal) {
      // Read before what it is of: what comes in between is told once more rather than not at all.
      const seq = isKept(topic) ? await eventLog.newestOf(topic) : 0;
      const told = { type: "snapshot", topic, seq, time: isoTime(now()) };
      try {
        return { frame: JSON.stringify({ ...told, data: await readSnapshot(topic, principal) }), seq };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { frame: JSON.stringify({ ...told, data: null, why: error.message }), seq };
      }
    },
    follow: feeds.follow,
    leave: feeds.leave,
    async replay(given, since) {
      const topics = [given].flat().filter(isKept);
      if (topics.length === 0) return { events: [], seq: since, more: false, forgotten: false };
      const missed = await eventLog.readAfter(topics, since, REPLAY_LIMIT + 1);
      // After the events: what is pruned meanwhile counts.
      const { pruned, known } = await eventLog.standingOf(since);
      const replayed = missed.slice(0, REPLAY_LIMIT);
      const forgotten = pruned || !known;
      // A number that was never given out, of another database or an earlier state of this one, must not count as seen.
      const reached =
        missed.length === 0 && forgotten ? Math.min(since, await eventLog.newestOf(topics)) : since;
      return {
        events: replayed.map((event) => ({ seq: event.seq, frame: eventFrame(event) })),
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
