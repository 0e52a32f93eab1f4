import type { EventLog } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { RedisStream, StreamEnd, StreamEntry } from "../../platform/redis-stream.js";

/** So many at a time that Redis is never held up for long by one script. */
const BATCH = 200;
/** What commits makes it run at once; this finds what is missing after a failure. */
const EVERY_MS = 1_000;

/**
 * Copies all events of the log to a stream of Redis, in their order and under their numbers. Every instance does so; what
 * another one has copied is left out. Where it stands is read from the stream, so that neither a crash nor a Redis that
 * forgot its last second leaves out or repeats one. What the log itself no longer keeps is said to be missing.
 */
export function createStreamCopy({
  eventLog,
  stream,
  log,
}: {
  readonly eventLog: Pick<EventLog, "readFrom">;
  readonly stream: RedisStream;
  readonly log: Log;
}): LoopDefinition {
  /**
   * What follows the end of the stream. The event that it ends with is read too: it tells whether both are of one database,
   * and while it is there none after it has been forgotten.
   */
  async function following(end: StreamEnd): Promise<StreamEntry[]> {
    const [same, ...others] = await eventLog.readFrom(end.seq - 1, BATCH + 1);
    if (same === undefined) {
      // A log that keeps nothing has nothing to be copied either.
      if ((await eventLog.readFrom(0, 1)).length > 0) throw foreign(end);
      return [];
    }
    if (same.seq > end.seq) {
      log.warn({ after: end.seq, next: same.seq }, "events were forgotten before they were copied to Redis");
      return [same, ...others];
    }
    const { entry } = end;
    if (entry !== null && (entry.topic !== same.topic || Math.abs(entry.time - same.time) > 1)) {
      throw foreign(end);
    }
    return others;
  }

  return {
    name: "event-copy",
    everyMs: () => EVERY_MS,
    timeoutMs: 30_000,
    async run(_nowMs, signal) {
      const end = await stream.newest();
      let newest = end?.seq ?? 0;
      let events = end === null ? await eventLog.readFrom(0, BATCH) : await following(end);
      while (events.length > 0 && !signal.aborted) {
        const reached = await stream.append(newest, events);
        // Redis came back without what it had: the next run looks where it stands.
        if (reached < newest) return;
        newest = reached;
        events = events.length < BATCH ? [] : await eventLog.readFrom(newest, BATCH);
      }
    },
  };
}

function foreign({ seq }: StreamEnd): Error {
  return new Error(
    `event ${seq}, with which the stream ends, is not of this database: give it another stream`,
  );
}
