import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { OutwardError } from "../../platform/outward.js";
import type { Instruments } from "../instruments/instruments.js";
import type { ChannelKind, Means, Target } from "./define.js";
import type { AttemptLine, Delivery, DeliveryFilter, DeliveryStore } from "./delivery-store.js";
import type { Kinds } from "./kinds.js";
import type { Message } from "./message.js";
import type { Outbox } from "./outbox.js";
import { type Channel, type ChannelStore, type Filters, MOST_CHANNELS } from "./store.js";
import { TEST_TOPIC } from "./topics.js";

/** What a user says of a channel, its settings as its kind has them. */
export interface ChannelOrder {
  readonly kind: string;
  readonly name: string;
  readonly settings: unknown;
  readonly filters: Filters;
}

export interface ChannelChange {
  readonly name?: string | undefined;
  readonly settings?: unknown;
  readonly filters?: Filters | undefined;
  readonly enabled?: boolean | undefined;
}

/** A channel with what its user is shown this once. */
export interface Shown {
  readonly channel: Channel;
  readonly secret: string | null;
}

/**
 * Channels of users and what was sent through them.
 * @throws {AppError} `channel_not_found` and `delivery_not_found`, also for another's; `invalid_request` and
 * `address_refused` for settings; `channel_unavailable` for what the server lacks; `conflict` for more channels than may
 * be, and for what a disabled one cannot do.
 */
export interface Notifications {
  list(userId: string): Promise<Channel[]>;
  get(userId: string, id: string): Promise<Channel>;
  create(userId: string, order: ChannelOrder): Promise<Shown>;
  change(userId: string, id: string, change: ChannelChange): Promise<Channel>;
  /** A new signing secret; the one before it signs beside it for a day. `conflict` where others change it at the same time. */
  rotate(userId: string, id: string): Promise<Shown>;
  delete(userId: string, id: string): Promise<void>;
  /** Sends a message of no meaning. @returns the delivery, whose end its log tells. */
  test(userId: string, id: string): Promise<Delivery>;
  deliveries(
    userId: string,
    filter: DeliveryFilter,
    limit: number,
    offset: number,
  ): Promise<{ rows: Delivery[]; total: number }>;
  delivery(userId: string, id: string): Promise<{ delivery: Delivery; attempts: AttemptLine[] }>;
  /** Sends again what has ended, under the same id. */
  replay(userId: string, id: string): Promise<Delivery>;
  replayDead(userId: string, channelId: string | null): Promise<number>;
}

export interface NotificationOptions {
  readonly channels: ChannelStore;
  readonly log: DeliveryStore;
  readonly outbox: Pick<Outbox, "writeTest">;
  readonly kinds: Kinds;
  readonly means: Means;
  readonly instruments: Pick<Instruments, "identify">;
  readonly now: () => number;
}

const CHANGE_ATTEMPTS = 5;
const MEANWHILE = "The channel was changed by another request at the same time; nothing was done, try again";

export function createNotifications(options: NotificationOptions): Notifications {
  const { channels, log, outbox, kinds, means, instruments, now } = options;

  const get = async (userId: string, id: string) => there(await channels.find(userId, id));

  function known({ topics, symbols, minConfidence }: Filters): Filters {
    const identified = symbols.map((text) => instruments.identify(text).symbol);
    return { topics: [...new Set(topics)], symbols: [...new Set(identified)], minConfidence };
  }

  function targetOf(channel: Channel): { kind: ChannelKind; target: Target } {
    const opened = kinds.open(channel);
    if (typeof opened === "string") throw new AppError("conflict", `The channel cannot be used: ${opened}`);
    return opened;
  }

  /** What a change of settings keeps; nothing where its secrets are lost. */
  function keptOf(channel: Channel): Target | null {
    const opened = kinds.open(channel);
    return typeof opened === "string" ? null : opened.target;
  }

  return {
    list: channels.list,
    get,
    async create(userId, { kind: name, settings, filters, ...order }) {
      const kind = offered(kinds, name, means);
      const target = await prepared(kind, settings, means, null);
      const closed = kinds.close(kind, target);
      const made = await channels.create({
        ...order,
        ...closed,
        userId,
        kind: name,
        filters: known(filters),
      });
      if (made === null) throw new AppError("conflict", `There may be at most ${MOST_CHANNELS} channels`);
      return { channel: made, secret: kind.shown(target) };
    },
    async change(userId, id, { name, settings, filters, enabled }) {
      const rest = {
        ...(name === undefined ? {} : { name }),
        ...(filters === undefined ? {} : { filters: known(filters) }),
        ...(enabled === undefined ? {} : { enabled }),
      };
      // What settings keep of those before is read again where somebody changed it meanwhile.
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt++) {
        const channel = await get(userId, id);
        const kind = offered(kinds, channel.kind, means);
        if (settings === undefined) return there(await channels.change(userId, id, rest, null));
        const closed = kinds.close(kind, await prepared(kind, settings, means, keptOf(channel)));
        const changed = await channels.change(userId, id, { ...rest, ...closed }, channel);
        if (changed !== null) return changed;
      }
      throw new AppError("conflict", MEANWHILE);
    },
    async rotate(userId, id) {
      const before = await get(userId, id);
      const { kind, target } = targetOf(before);
      if (!kind.canRotate)
        throw new AppError("conflict", `A channel of ${kind.kind} has no secret to rotate`);
      const { target: next, shown } = kind.rotate(target, now());
      const channel = await channels.change(userId, id, kinds.close(kind, next), before);
      if (channel !== null) return { channel, secret: shown };
      // Whoever is shown a secret must find it at work: one that another rotation has passed already is not shown.
      await get(userId, id);
      throw new AppError("conflict", MEANWHILE);
    },
    async delete(userId, id) {
      if (!(await channels.delete(userId, id))) throw missing();
    },
    async test(userId, id) {
      const channel = await get(userId, id);
      if (!channel.enabled) throw new AppError("conflict", "The channel is disabled");
      const delivery = await outbox.writeTest(id, TEST_TOPIC, testMessage(channel, now()), now());
      if (delivery === null) throw missing();
      return findDelivery(log, userId, delivery);
    },
    ...deliveryVerbs(options, get),
  };
}

async function findDelivery(log: DeliveryStore, userId: string, id: string): Promise<Delivery> {
  const found = await log.find(userId, id);
  if (found === null) throw new AppError("delivery_not_found", "There is no such delivery");
  return found;
}

/** What is done with what was sent. @param get finds a channel of a user. */
function deliveryVerbs(
  { log, now }: Pick<NotificationOptions, "log" | "now">,
  get: Notifications["get"],
): Pick<Notifications, "deliveries" | "delivery" | "replay" | "replayDead"> {
  return {
    deliveries: log.list,
    async delivery(userId, id) {
      const delivery = await findDelivery(log, userId, id);
      return { delivery, attempts: await log.attempts(id) };
    },
    async replay(userId, id) {
      const replayed = await log.replay(userId, id, now());
      const delivery = await findDelivery(log, userId, id);
      if (!replayed) {
        const why = delivery.state === "pending" ? "It is still on its way" : "Its channel is disabled";
        throw new AppError("conflict", why);
      }
      return delivery;
    },
    async replayDead(userId, channelId) {
      if (channelId !== null) await get(userId, channelId);
      return log.replayDead(userId, channelId, now());
    },
  };
}

const missing = () => new AppError("channel_not_found", "There is no such channel");

function there(found: Channel | null): Channel {
  if (found === null) throw missing();
  return found;
}

function offered(kinds: Kinds, name: string, { config }: Means): ChannelKind {
  const kind = kinds.find(name);
  if (kind === null) throw new AppError("invalid_request", `There are no channels of kind ${name}`);
  const lacking = kind.lacks(config);
  if (lacking !== null) throw new AppError("channel_unavailable", `${name} cannot be used: ${lacking}`);
  return kind;
}

async function prepared(
  kind: ChannelKind,
  settings: unknown,
  means: Means,
  kept: Target | null,
): Promise<Target> {
  try {
    return await kind.prepare(settings, means, kept);
  } catch (error) {
    if (error instanceof OutwardError) throw new AppError("address_refused", `The address ${error.message}`);
    if (!(error instanceof z.ZodError)) throw error;
    const problems = error.issues.map(({ path, message }) => ({
      path: ["settings", ...path].join("."),
      message,
    }));
    const detail = problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
    throw new AppError("invalid_request", detail, { problems });
  }
}

function testMessage({ name, kind }: Channel, time: number): Message {
  return {
    type: "test",
    time,
    title: `Test of ${name}`,
    lines: ["This channel works. Nothing has happened."],
    data: { channel: name, kind },
    detectionId: null,
  };
}
