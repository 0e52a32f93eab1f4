import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import { sleep } from "../../platform/clock.js";
import type { AccountNews } from "./account-news.js";
import { createActivityWalk } from "./activity-events.js";
import type { ActivityEvent } from "./activity-schema.js";
import { timeOfUlid } from "./ulid.js";

/** Which events are wanted, by when they were written; without a beginning those that come from now on. */
export interface ActivityRange {
  /** From an instant on, epoch ms; null for from now on. */
  readonly fromMs: number | null;
  /** Later than an event; null for all. */
  readonly afterId: string | null;
  /** First instant that is not wanted any more, and the last event that is; null without an end. */
  readonly untilMs: number | null;
  readonly untilId: string | null;
}

export interface ActivityEvents {
  /**
   * What money and shares of a user's usual account come to, each once and in order, and from then on as it happens; of
   * the account that takes the place of it from its beginning. Null where nothing happened for a while. Nothing is read
   * before it is asked for.
   */
  follow(
    userId: string,
    range: ActivityRange,
    options: { readonly patienceMs: number; readonly signal: AbortSignal },
  ): AsyncGenerator<ActivityEvent | null>;
}

export interface ActivityEventsOptions {
  readonly paper: Pick<PaperDesk, "accounts" | "ledger" | "written">;
  readonly news: AccountNews;
  /** Runs on whatever the clock is set to, ms. */
  readonly elapsed: () => number;
}

/** Events that are told between two looks at the account. */
const PAGE = 200;
/** Events that are walked at once, so that others are not kept waiting. */
const STRIDE = 2_000;
/** What is written at an instant is there this much later: the time that a transaction may take. */
const SETTLES_MS = 1_000;

/** @param range by which the id or the instant after the end tells that an event is beyond. */
export function isBeyond(eventId: string, { untilMs, untilId }: ActivityRange): boolean {
  if (untilId !== null && eventId > untilId) return true;
  return untilMs !== null && timeOfUlid(eventId) >= untilMs;
}

export function createActivityEvents({ paper, news, elapsed }: ActivityEventsOptions): ActivityEvents {
  const { accounts } = paper;

  return {
    async *follow(userId, range, { patienceMs, signal }) {
      const bell = createBell(signal);
      let moved = false;
      const deafen = [
        news.onOpened(() => {
          moved = true;
          bell.ring();
        }),
      ];
      const read = (row: AccountRow, from: Beginning) => {
        deafen[1]?.();
        deafen[1] = news.onChange(row.id, bell.ring);
        return createReader(paper, row, from);
      };
      try {
        let row = await accounts.usual(userId);
        const begun = await paper.written.loadWritten(row.id, range.fromMs);
        const endsIn = range.untilMs === null ? Number.POSITIVE_INFINITY : range.untilMs - begun.now;
        const endsAt = elapsed() + endsIn + SETTLES_MS;
        let reader = read(row, begun);
        while (!signal.aborted) {
          bell.hang();
          const isPast = elapsed() >= endsAt;
          for (let page = await reader.next(); page.length > 0; page = await reader.next()) {
            for (const event of page) {
              if (isBeyond(event.event_id, range)) return;
              if (range.afterId === null || event.event_id > range.afterId) yield event;
              if (event.event_id === range.untilId) return;
            }
            if (signal.aborted) return;
          }
          const usual = moved ? await accounts.existing(userId) : row;
          moved = false;
          if (usual !== null && usual.id !== row.id) {
            row = usual;
            reader = read(row, { seq: 0, time: 0 });
          } else if (isPast) return;
          else if (!(await bell.wait(Math.min(patienceMs, Math.max(0, endsAt - elapsed()))))) yield null;
        }
      } finally {
        for (const each of deafen) each();
        bell.end();
      }
    },
  };
}

interface Beginning {
  readonly seq: number;
  readonly time: number;
}

/** Pages of what an account does after its beginning; an empty one where there is nothing yet. */
function createReader(
  { ledger, written }: ActivityEventsOptions["paper"],
  row: AccountRow,
  { seq, time }: Beginning,
) {
  const walk = createActivityWalk(row, time);
  let last = seq;

  /** Walks to an event, in strides. */
  async function walkTo(end: number, moved: Awaited<ReturnType<typeof written.loadMoved>>) {
    const told: ActivityEvent[] = [];
    while (walk.seen() < end) {
      const from = walk.seen();
      const events = await ledger.look(row.id, (_desk, { history, causes }) =>
        walk.take(history.events.slice(from, Math.min(end, from + STRIDE)), moved, causes),
      );
      told.push(...events);
      if (walk.seen() === from) throw new Error(`account ${row.id} ends before event ${end}`);
    }
    return told;
  }

  return {
    async next(): Promise<readonly ActivityEvent[]> {
      for (;;) {
        const moved = await written.loadMoved(row.id, last, PAGE);
        if (moved.length === 0) return [];
        last = moved[moved.length - 1].seq;
        const told = await walkTo(last, moved);
        // Of some of what happens to an account there is nothing to be told.
        if (told.length > 0) return told;
      }
    },
  };
}

/** Wakes one who waits, also for what rang since it was hung up. @param signal rings it, too. */
function createBell(signal: AbortSignal) {
  let rung = new AbortController();
  const ring = () => rung.abort();
  signal.addEventListener("abort", ring);
  return {
    ring,
    hang() {
      rung = new AbortController();
      if (signal.aborted) ring();
    },
    /** @returns whether it rang within the time. */
    async wait(ms: number): Promise<boolean> {
      await sleep(ms, rung.signal);
      return rung.signal.aborted;
    },
    end: () => signal.removeEventListener("abort", ring),
  };
}
