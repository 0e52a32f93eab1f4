import type { Clock } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import { createOutward, type Outward } from "../../platform/outward.js";
import { createSeal } from "../../platform/seal.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Means } from "./define.js";
import { createDeliveryStore } from "./delivery-store.js";
import { createFanOut } from "./fan-out.js";
import { createKinds } from "./kinds.js";
import { createNotifications, type Notifications } from "./notifications.js";
import { createOutbox } from "./outbox.js";
import { createPictures } from "./picture.js";
import { createSending } from "./sending.js";
import { topicOfChannel } from "./socket.js";
import { createChannelStore } from "./store.js";

export const FAN_OUT_LEASE = "notifications.outbox";

const LEASE_MS = 30_000;
const EVERY_MS = 1_000;
const FAN_OUT_TIMEOUT_MS = 30_000;
const SENDING_TIMEOUT_MS = 60_000;
const PRUNE_EVERY_MS = 3_600_000;

export interface NotificationFeatureOptions {
  readonly config: Means["config"] &
    Pick<Config, "SECRET_KEY" | "WEBHOOK_HTTP" | "WEBHOOK_PORTS" | "WEBHOOK_ORIGINS">;
  readonly database: Database;
  readonly leases: Leases;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly instruments: Pick<Instruments, "identify">;
  /** A stored detection as SVG. */
  readonly draw: (detectionId: number) => Promise<string>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** How addresses of users are spoken to; by the configuration unless given. */
  readonly outward?: Outward;
}

/** Channels of users, and the loops that tell them: one process writes the outbox, all of them send. */
export function createNotificationFeature(options: NotificationFeatureOptions): {
  notifications: Notifications;
  notificationLoops: readonly LoopDefinition[];
} {
  const { config, database, leases, eventLog, clock } = options;
  const { now } = clock;
  const kinds = createKinds(createSeal(config.SECRET_KEY, "notifications"));
  const channels = createChannelStore(database);
  const outbox = createOutbox(database, channels);
  const means: Means = {
    config,
    outward:
      options.outward ??
      createOutward({
        http: config.WEBHOOK_HTTP,
        ports: config.WEBHOOK_PORTS,
        origins: config.WEBHOOK_ORIGINS ?? [],
      }),
    picture: createPictures(options),
    async publish(channelId, payload) {
      await database.transaction((sql) =>
        eventLog.append(sql, [{ topic: topicOfChannel(channelId), payload }]),
      );
      eventLog.wake();
    },
  };
  const fanOut = createFanOut({ database, leases, leaseMs: LEASE_MS, channels, outbox, now });
  const sending = createSending({ ...options, outbox, kinds, means, dice: Math.random });
  let prunedAt = Number.NEGATIVE_INFINITY;
  return {
    notifications: createNotifications({
      ...options,
      channels,
      log: createDeliveryStore(database),
      outbox,
      kinds,
      means,
      now,
    }),
    notificationLoops: [
      {
        name: FAN_OUT_LEASE,
        everyMs: () => EVERY_MS,
        timeoutMs: FAN_OUT_TIMEOUT_MS,
        async run(nowMs, signal) {
          const lease = await leases.acquire(FAN_OUT_LEASE, LEASE_MS);
          if (lease === null) return;
          await fanOut.run(lease, signal);
          if (nowMs - prunedAt < PRUNE_EVERY_MS) return;
          await outbox.prune();
          prunedAt = nowMs;
        },
      },
      {
        name: "notifications.sending",
        everyMs: () => EVERY_MS,
        timeoutMs: SENDING_TIMEOUT_MS,
        run: (_nowMs, signal) => sending.run(signal),
      },
    ],
  };
}
