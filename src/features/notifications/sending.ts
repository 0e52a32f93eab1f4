import type { Clock } from "../../platform/clock.js";
import { sleep } from "../../platform/clock.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import { failed } from "./answer.js";
import type { Attempted, Means } from "./define.js";
import type { Kinds } from "./kinds.js";
import type { Claimed, Outbox } from "./outbox.js";
import { waitMs } from "./schedule.js";

/** Channels that are sent to at the same time, by one process. */
const AT_ONCE = 16;
/** How often there is a look for what came due while others are still being sent. */
const LOOK_MS = 100;
/** After so long a run ends, so that its loop is seen to go on. */
const RUN_MS = 20_000;

export interface SendingOptions {
  readonly outbox: Pick<Outbox, "claim" | "settle" | "oldestPending">;
  readonly kinds: Kinds;
  readonly means: Means;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "notifications" | "notificationOldest">;
  readonly log: Log;
  readonly dice: () => number;
}

/** Sends what is due until nothing is. A slow receiver keeps nobody waiting but itself. */
export function createSending(options: SendingOptions) {
  const { outbox, kinds, means, clock, metrics, log, dice } = options;

  async function attempt(claimed: Claimed, signal: AbortSignal): Promise<Attempted> {
    const { id, message, channel } = claimed;
    const opened = kinds.open(channel);
    if (typeof opened === "string") {
      return { outcome: "gone", status: null, detail: opened, retryAfterMs: null };
    }
    const parcel = { id, channelId: channel.id, message, signal, nowMs: clock.now() };
    try {
      return await opened.kind.send(opened.target, parcel, means);
    } catch (error) {
      return failed(error);
    }
  }

  async function deliver(claimed: Claimed, signal: AbortSignal): Promise<void> {
    const { kind } = claimed.channel;
    const started = clock.elapsed();
    const attempted = await attempt(claimed, signal);
    const nowMs = clock.now();
    const left = claimed.allowed - claimed.attempts;
    const again = attempted.outcome === "retry" && left > 0;
    const { retryAfterMs } = attempted;
    await outbox.settle(claimed, {
      attempted,
      nowMs,
      tookMs: clock.elapsed() - started,
      nextAt: again ? nowMs + waitMs(left, retryAfterMs, dice()) : null,
      heldUntil: nowMs + Math.max(kinds.gapOf(kind), retryAfterMs ?? 0),
    });
    const outcome = attempted.outcome === "retry" && !again ? "dead" : attempted.outcome;
    const facts = { delivery: claimed.id, channel: claimed.channel.id, kind, detail: attempted.detail };
    if (outcome === "gone") log.warn(facts, "a channel of notifications was disabled");
    else if (outcome === "dead" || outcome === "refused") log.warn(facts, "a notification was given up");
    metrics.notifications.inc({ kind, outcome });
  }

  return {
    async run(signal: AbortSignal): Promise<void> {
      const sending = new Set<Promise<void>>();
      const until = clock.elapsed() + RUN_MS;
      while (!signal.aborted) {
        const room = clock.elapsed() < until ? AT_ONCE - sending.size : 0;
        for (const claimed of room > 0 ? await outbox.claim(clock.now(), room) : []) {
          const sent: Promise<void> = deliver(claimed, signal)
            // What could not be written down is sent again when the claim is over.
            .catch((error: unknown) =>
              log.warn({ delivery: claimed.id, reason: messageOf(error) }, "a delivery was not written down"),
            )
            .finally(() => sending.delete(sent));
          sending.add(sent);
        }
        if (sending.size === 0) break;
        await Promise.race([...sending, sleep(LOOK_MS)]);
      }
      await Promise.all(sending);
      const oldest = await outbox.oldestPending();
      metrics.notificationOldest.set(oldest === null ? 0 : Math.max(0, clock.now() - oldest) / 1_000);
    },
  };
}
