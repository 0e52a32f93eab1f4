import { ensure } from "../../core/base/assert.js";
import { barClose, barOpensBetween, firstWholeBar, lastClosedBar } from "../../core/market/bar-times.js";
import { type Interval, parseInterval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import { closedBarView } from "../candles/views.js";
import type { Instruments } from "../instruments/instruments.js";
import { createDueLooks, type Due } from "./due.js";
import { partsOf } from "./topics.js";

export interface BarWatchParts {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly gateway: Pick<Gateway, "feedNowMs">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly now: () => number;
  readonly log: Log;
}

/** Bars of followed symbols and intervals as they close, scanned or not: each is told once, whoever sees it first. */
export interface BarWatch {
  /** @param topic of candles; once for each who follows. */
  follow(topic: string): void;
  leave(topic: string): void;
  /** Whether a bar that the scanner tells of was not told yet; it counts as told from now on. */
  isNews(topic: string, payload: unknown): boolean;
  stop(): void;
}

/** Bars told at once, where several have closed since the last look: none of them is left out but after a long silence. */
const MOST_BARS = 100;
/** How long a bar that is late is waited for between looks, and how often it is asked anew when the next one closes. */
const LONGEST_WAIT_MS = 60_000;

interface Followed extends Due {
  readonly since: number;
  count: number;
  /** Open of the newest bar that there was when the first began to listen; null before the first look. */
  seenTo: number | null;
  /** Open of the newest bar told. */
  toldTo: number;
  nextAt: number;
  waitMs: number;
}

export function createBarWatch(
  parts: BarWatchParts & {
    readonly tell: (topic: string, payload: unknown) => void;
    readonly everyMs: number;
  },
): BarWatch {
  const { everyMs, now, log } = parts;
  const followed = new Map<string, Followed>();
  const look = createLook(parts, followed);
  let timer: NodeJS.Timeout | null = null;

  const lookAtDue = createDueLooks(followed, async (topic, own) => {
    const startedAt = now();
    let waitMs = LONGEST_WAIT_MS;
    try {
      waitMs = await look(topic, own);
    } catch (error) {
      log.debug({ topic, reason: messageOf(error) }, "bars that are followed could not be looked at");
    }
    own.nextAt = startedAt + Math.min(LONGEST_WAIT_MS, Math.max(everyMs, waitMs));
  });

  function turn(): void {
    for (const own of followed.values()) own.isDue ||= own.nextAt <= now();
    void lookAtDue();
  }

  function stop(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }

  return {
    follow(topic) {
      const known = followed.get(topic);
      if (known !== undefined) {
        known.count++;
        return;
      }
      const fresh = { since: now(), count: 1, seenTo: null, toldTo: Number.NEGATIVE_INFINITY };
      followed.set(topic, { ...fresh, isDue: true, nextAt: 0, waitMs: everyMs });
      timer ??= setInterval(turn, everyMs).unref();
      void lookAtDue();
    },
    leave(topic) {
      const known = followed.get(topic);
      if (known === undefined || --known.count > 0) return;
      followed.delete(topic);
      if (followed.size === 0) stop();
    },
    isNews(topic, payload) {
      const own = followed.get(topic);
      const openMs = Date.parse(String((payload as { readonly timestamp?: unknown } | null)?.timestamp));
      if (own === undefined || Number.isNaN(openMs)) return true;
      if (openMs <= own.toldTo) return false;
      own.toldTo = openMs;
      return true;
    },
    stop() {
      followed.clear();
      stop();
    },
  };
}

/** A function that tells what has closed on a topic; it returns milliseconds until there can be more. */
function createLook(
  parts: BarWatchParts & Pick<Parameters<typeof createBarWatch>[0], "tell" | "everyMs">,
  followed: ReadonlyMap<string, Followed>,
): (topic: string, own: Followed) => Promise<number> {
  const { tell, everyMs, now } = parts;

  /** Bars up to this one are in the snapshot of the first who listens; what closes while that is read is told. */
  async function baseline(
    own: Followed,
    { calendar, interval, newest, asOfMs, load }: Closed,
  ): Promise<number> {
    const before = lastClosedBar(calendar, interval, asOfMs - (now() - own.since)) ?? newest;
    return Math.min(before, (await load(1)).candles.time.at(-1) ?? before);
  }

  return async function look(topic: string, own: Followed): Promise<number> {
    const closed = await closedBars(parts, topic);
    if (closed === null) return LONGEST_WAIT_MS;
    const { calendar, interval, newest, asOfMs, load } = closed;
    own.seenTo ??= await baseline(own, closed);
    const known = () => Math.max(own.seenTo ?? newest, own.toldTo);
    if (known() < newest) {
      const unseen = barOpensBetween(calendar, interval, known() + 1, newest + 1).length;
      const set = await load(Math.min(MOST_BARS, Math.max(1, unseen)));
      const { time } = set.candles;
      for (let i = 0; i < time.length && followed.get(topic) === own; i++) {
        if (time[i] <= known()) continue;
        own.toldTo = time[i];
        tell(topic, closedBarView(set, i));
      }
    }
    if (known() < newest) {
      own.waitMs = Math.min(LONGEST_WAIT_MS, 2 * own.waitMs);
      return own.waitMs;
    }
    own.waitMs = everyMs;
    return barClose(calendar, interval, firstWholeBar(calendar, interval, newest + 1)) - asOfMs;
  };
}

interface Closed {
  readonly calendar: ReturnType<typeof calendarOf>;
  readonly interval: Interval;
  /** Open of the newest bar that can have closed. */
  readonly newest: number;
  /** How far the source has come. */
  readonly asOfMs: number;
  load(count: number): Promise<CandleSet>;
}

/** What there can be of a topic; null before the first bar. */
async function closedBars(
  { candles, gateway, instruments }: BarWatchParts,
  topic: string,
): Promise<Closed | null> {
  const [symbol, text] = partsOf(topic);
  const interval = ensure(parseInterval(text ?? ""), "topics have been read");
  const instrument = await instruments.resolve(symbol);
  const calendar = calendarOf(instrument.calendar);
  const asOfMs = await gateway.feedNowMs(instrument, interval);
  const load = (count: number) => candles.loadLatest(instrument, interval, count);
  const newest = lastClosedBar(calendar, interval, asOfMs);
  return newest === null ? null : { calendar, interval, newest, asOfMs, load };
}
