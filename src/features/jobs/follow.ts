import type { Bus } from "../../platform/bus.js";
import { sleep } from "../../platform/clock.js";
import { type EventLog, eventCommitted } from "../../platform/event-log.js";
import { isEnd, type JobStatus, jobView, topicOfJob } from "../../platform/jobs.js";
import type { JobAt } from "./store.js";

/** A state of a job, under the number of the event that told of it. */
export interface JobEvent {
  readonly seq: number;
  readonly job: unknown;
}

const BATCH = 200;

/**
 * The events of a job after a number, each once and in order, until the job ends; null where nothing happened for a
 * while. Without a number, or with one that is no longer kept, the present state comes first.
 * @param patienceMs time without an event after which null is given.
 * @param signal ends it.
 */
export async function* followJob(
  { job, seq }: JobAt,
  after: number | null,
  options: { eventLog: EventLog; bus: Bus; patienceMs: number; signal: AbortSignal },
): AsyncGenerator<JobEvent | null> {
  const { eventLog, bus, patienceMs, signal } = options;
  const topic = topicOfJob(job.id);
  let woken = new AbortController();
  const wake = () => woken.abort();
  const unsubscribe = bus.subscribe(eventCommitted, (event) => {
    if (event.topic === topic) wake();
  });
  signal.addEventListener("abort", wake);
  try {
    let last = after ?? seq;
    if (after === null || !(await isKept(eventLog, topic, after, seq))) {
      last = seq;
      yield { seq, job: jobView(job) };
    }
    if (isEnd(job.status) && last >= seq) return;
    while (!signal.aborted) {
      woken = new AbortController();
      const events = await eventLog.readAfter(topic, last, BATCH);
      for (const event of events) {
        last = event.seq;
        yield { seq: last, job: event.payload };
        if (isEnd((event.payload as { status: JobStatus }).status)) return;
      }
      if (events.length > 0) continue;
      await sleep(patienceMs, woken.signal);
      if (!woken.signal.aborted) yield null;
    }
  } finally {
    signal.removeEventListener("abort", wake);
    unsubscribe();
  }
}

/** Whether the event of a number is there, and with it all that came after. */
async function isKept(eventLog: EventLog, topic: string, seq: number, newest: number): Promise<boolean> {
  if (seq === 0 || seq > newest) return false;
  const [event] = await eventLog.readAfter(topic, seq - 1, 1);
  return event?.seq === seq;
}
