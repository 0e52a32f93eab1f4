import type { Bus } from "../../platform/bus.js";
import { messageOf } from "../../platform/errors.js";
import { eventCommitted, noticeHeard } from "../../platform/event-log.js";
import type { Principal } from "../../platform/http.js";
import { ACCOUNT_TOPIC } from "../paper-trades/topics.js";
import { type BarWatchParts, createBarWatch } from "./bars.js";
import { createDueLooks, type Due } from "./due.js";
import type { ReadSnapshot } from "./snapshots.js";
import { CANDLE_TOPIC, kindOf, PORTFOLIO_TOPIC, QUOTE_TOPIC, REGIME_TOPIC } from "./topics.js";

/** Topics that are looked at while somebody follows them, and told when what is seen has changed. */
export interface Feeds {
  /** Once for each who follows. @param principal one who may see it. */
  follow(topic: string, principal: Principal): void;
  leave(topic: string): void;
  /** Whether what somebody else tells of a topic was not told yet. */
  isNews(topic: string, payload: unknown): boolean;
  stop(): void;
}

/** How often what no event tells of is looked at. */
const LOOK_EVERY_MS = 2_000;
const POLLED: readonly string[] = [QUOTE_TOPIC, PORTFOLIO_TOPIC];
const FED: readonly string[] = [...POLLED, REGIME_TOPIC];
/** Fields that change although nothing has happened. */
const AGES: ReadonlySet<string> = new Set(["age_ms", "timestamp", "as_of"]);

interface Followed extends Due {
  readonly principal: Principal;
  count: number;
  /** What was told last, without its age; null before the first look. */
  last: string | null;
}

export function createFeeds(
  options: BarWatchParts & {
    bus: Bus;
    read: ReadSnapshot;
    /** Tells those who follow. */
    tell: (topic: string, payload: unknown) => void;
    everyMs?: number;
  },
): Feeds {
  const { bus, read, tell, log, everyMs = LOOK_EVERY_MS } = options;
  const followed = new Map<string, Followed>();
  let timer: NodeJS.Timeout | null = null;

  async function look(topic: string, follower: Followed): Promise<void> {
    try {
      const payload = await read(topic, follower.principal);
      const text = JSON.stringify(payload, (key, value: unknown) => (AGES.has(key) ? undefined : value));
      if (!followed.has(topic) || text === follower.last) return;
      const isFirst = follower.last === null;
      follower.last = text;
      // Whoever began with it asked for a snapshot, or for changes alone.
      if (!isFirst) tell(topic, payload);
    } catch (error) {
      log.debug({ topic, reason: messageOf(error) }, "a followed topic could not be looked at");
    }
  }

  const lookAtDue = createDueLooks(followed, look);

  function makeDue(topic: string): void {
    const follower = followed.get(topic);
    if (follower === undefined) return;
    follower.isDue = true;
    void lookAtDue();
  }

  function turn(): void {
    for (const [topic, follower] of followed)
      if (POLLED.includes(kindOf(topic)?.name ?? "")) follower.isDue = true;
    void lookAtDue();
  }

  const bars = createBarWatch({
    ...options,
    everyMs,
    tell(topic, payload) {
      tell(topic, payload);
      makeDue(regimeOf(topic));
    },
  });
  bus.subscribe(noticeHeard, ({ topic }) => {
    if (topic.startsWith(`${CANDLE_TOPIC}:`)) makeDue(regimeOf(topic));
  });
  bus.subscribe(eventCommitted, ({ topic }) => {
    if (topic.startsWith(`${ACCOUNT_TOPIC}:`)) makeDue(topic.replace(ACCOUNT_TOPIC, PORTFOLIO_TOPIC));
  });

  return {
    isNews: bars.isNews,
    follow(topic, principal) {
      const followedBars = barsOf(topic);
      if (followedBars !== null) bars.follow(followedBars);
      if (!FED.includes(kindOf(topic)?.name ?? "")) return;
      const known = followed.get(topic);
      if (known === undefined) followed.set(topic, { principal, count: 1, last: null, isDue: true });
      else known.count++;
      timer ??= setInterval(turn, everyMs).unref();
      void lookAtDue();
    },
    leave(topic) {
      const followedBars = barsOf(topic);
      if (followedBars !== null) bars.leave(followedBars);
      const known = followed.get(topic);
      if (known === undefined) return;
      known.count--;
      if (known.count === 0) followed.delete(topic);
      if (followed.size === 0 && timer !== null) {
        clearInterval(timer);
        timer = null;
      }
    },
    stop() {
      bars.stop();
      followed.clear();
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
  };
}

function regimeOf(candleTopic: string): string {
  return candleTopic.replace(CANDLE_TOPIC, REGIME_TOPIC);
}

/** The candles whose bars are followed for a topic; null where it has none. */
function barsOf(topic: string): string | null {
  const name = kindOf(topic)?.name;
  if (name === CANDLE_TOPIC) return topic;
  return name === REGIME_TOPIC ? topic.replace(REGIME_TOPIC, CANDLE_TOPIC) : null;
}
