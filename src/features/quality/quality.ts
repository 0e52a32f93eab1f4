import { calendarOf, isOpen } from "../../core/market/session.js";
import type { Band } from "../../core/quality/band.js";
import { CallWindow, checkFeed, type FeedHealth } from "../../core/quality/feed.js";
import { ISSUES, type Issue } from "../../core/quality/issue.js";
import { checkState, type MarketState } from "../../core/quality/state.js";
import { checkStream } from "../../core/quality/stream.js";
import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import type { StreamHealth } from "../../providers/stream-client.js";
import { openSince } from "../../providers/stream-hours.js";
import type { Verdict } from "../candles/inspection.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Bands } from "./bands.js";
import { type Delivery, inspect } from "./inspect.js";
import type { IssueCounts, IssueQuery, IssueStore, StoredIssue } from "./store.js";
import { QUALITY_TOPIC } from "./topics.js";

/** Where the data came from that issues were found in. */
export interface Origin {
  readonly source: string;
  readonly synthetic: boolean;
}

export interface QualityReport {
  readonly timeMs: number;
  readonly recent: readonly StoredIssue[];
  readonly feeds: ReadonlyMap<string, FeedHealth>;
  readonly counts: IssueCounts;
  readonly streams: readonly CheckedStream[];
}

/** A stream of trades, and what is wrong with it. */
export interface CheckedStream {
  readonly health: StreamHealth;
  readonly issues: readonly Issue[];
}

export interface CheckedState {
  /** In its one spelling. */
  readonly symbol: string;
  readonly issues: readonly Issue[];
  /** What the price was held against; null where too few closes are stored. */
  readonly band: Band | null;
  /** Why there is no band; null where there is one. */
  readonly bandProblem: string | null;
  /** Whether the exchange is open, so that old data are stale. */
  readonly live: boolean;
}

export interface Quality {
  /** One call of a source, however it ended. */
  onCall(feed: string, ms: number, ok: boolean): void;
  /** Looks at bars before they are stored, keeps what is found. @returns what may be stored, and what not. */
  inspect(delivery: Delivery, origin: Origin): Promise<Omit<Verdict, "trouble">>;
  /** Keeps what was found, tells operators of what is new, and counts it. */
  record(issues: readonly Issue[], origin: Origin): Promise<void>;
  /** Looks at a chain on its way in and keeps what is found. @param live false while its exchange is closed. */
  inspectState(state: MarketState, live: boolean, origin: Origin): Promise<void>;
  /** Looks at a state that somebody else has; nothing of it is kept. @throws {AppError} `symbol_invalid`, `symbol_unknown`. */
  check(state: MarketState): Promise<CheckedState>;
  report(): Promise<QualityReport>;
  /** The streams of trades, as they are now. */
  streams(): readonly CheckedStream[];
  list(query: Omit<IssueQuery, "synthetic">): Promise<readonly StoredIssue[]>;
  /** Looks at the sources, and makes room. */
  readonly loop: LoopDefinition;
}

export interface QualityOptions {
  readonly store: IssueStore;
  readonly database: Pick<Database, "transaction">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly bands: Pick<Bands, "load">;
  /** How the followed streams are. */
  readonly streams: () => readonly StreamHealth[];
  readonly instruments: Pick<Instruments, "resolve">;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether the market in use is the synthetic one. */
  readonly synthetic: boolean;
  readonly now: () => number;
}

const RECENT = 50;
const LOOP_MS = 60_000;

export function createQuality(options: QualityOptions): Quality {
  const { store, database, eventLog, log, metrics, synthetic, now } = options;
  const feeds = new Map<string, CallWindow>();

  async function record(issues: readonly Issue[], origin: Origin): Promise<void> {
    if (issues.length === 0) return;
    for (const { code, severity } of issues) metrics.dataIssues.inc({ code, severity });
    const fresh = await store.save(issues, { ...origin, nowMs: now() });
    const told = fresh.filter(({ severity }) => severity !== "info");
    if (told.length === 0) return;
    for (const { code, severity, subject, detail } of told) {
      const line = { code, subject, source: origin.source, detail };
      if (severity === "critical") log.error(line, ISSUES[code].title);
      else log.warn(line, ISSUES[code].title);
    }
    await database.transaction((sql) =>
      eventLog.append(
        sql,
        told.map((issue) => ({ topic: QUALITY_TOPIC, payload: { ...issue, ...origin } })),
      ),
    );
    eventLog.wake();
  }

  const streams = () => options.streams().map((health) => checked(health, now()));

  return {
    streams,
    onCall(feed, ms, ok) {
      const window = feeds.get(feed) ?? new CallWindow();
      feeds.set(feed, window);
      window.add(ms, ok, now());
    },
    async inspect(delivery, origin) {
      const { issues, ...verdict } = inspect(delivery, now());
      await record(issues, origin);
      return verdict;
    },
    record,
    inspectState: (state, live, origin) => record(checkState(state, now(), null, live), origin),
    check: (state) => checkMarket(options, state),
    async report() {
      const timeMs = now();
      const query = { severity: null, subject: null, synthetic, before: null, limit: RECENT };
      const [recent, counts] = await Promise.all([store.load(query), store.counts(synthetic, timeMs)]);
      return {
        timeMs,
        recent,
        counts,
        streams: streams(),
        feeds: new Map([...feeds].map(([name, window]) => [name, window.health()])),
      };
    },
    list: (query) => store.load({ ...query, synthetic }),
    loop: {
      name: "data-quality",
      everyMs: () => LOOP_MS,
      timeoutMs: 30_000,
      async run() {
        for (const [name, window] of feeds) {
          await record(checkFeed(name, window.health()), { source: name, synthetic });
        }
        for (const { health, issues } of streams()) await record(issues, { source: health.name, synthetic });
        await store.prune();
      },
    },
  };
}

/** A stream that is not meant to be connected, or follows nothing, leaves nothing unheard. */
function checked(health: StreamHealth, nowMs: number): CheckedStream {
  const { running, connected, followed, unheardSince } = health;
  // To be connected anew ends no silence.
  const since = connected ? (unheardSince ?? health.since) : health.since;
  const state = { ...health, since, openSince: running ? openSince(followed, nowMs) : null };
  return { health, issues: checkStream(state, nowMs) };
}

async function checkMarket(
  { bands, instruments, now }: QualityOptions,
  state: MarketState,
): Promise<CheckedState> {
  const instrument = await instruments.resolve(state.symbol);
  const { symbol, calendar } = instrument;
  const nowMs = now();
  const live = isOpen(calendarOf(calendar), nowMs);
  const { band, problem } = await bands.load(instrument);
  const issues = checkState({ ...state, symbol }, nowMs, band, live);
  return { symbol, issues, band, bandProblem: problem, live };
}
