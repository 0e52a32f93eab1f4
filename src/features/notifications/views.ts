import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { Means } from "./define.js";
import type { AttemptLine, Delivery } from "./delivery-store.js";
import { CHANNELS } from "./index.js";
import type { Shown } from "./notifications.js";
import { push } from "./push.js";
import {
  attemptSchema,
  channelSchema,
  type deliverySchema,
  type kindSchema,
  type shownChannelSchema,
} from "./schema.js";
import { socket, topicOfChannel } from "./socket.js";
import type { Channel } from "./store.js";

const kindOf = (kind: string) => channelSchema.shape.kind.parse(kind);

export function channelView(channel: Channel, nowMs: number): z.input<typeof channelSchema> {
  const { id, kind, name, settings, enabled, reason, filters, createdAt, updatedAt } = channel;
  const { topics, symbols, minConfidence } = filters;
  return {
    id,
    kind: kindOf(kind),
    name,
    settings: { ...settings },
    enabled,
    reason,
    held_until: channel.heldUntil > nowMs ? isoTime(channel.heldUntil) : null,
    filters: { topics: [...topics], symbols: [...symbols], min_confidence: minConfidence },
    topic: kind === socket.kind ? topicOfChannel(id) : null,
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
  };
}

export function shownView({ channel, secret }: Shown, nowMs: number): z.input<typeof shownChannelSchema> {
  return { ...channelView(channel, nowMs), secret };
}

export function kindViews(config: Means["config"]): z.input<typeof kindSchema>[] {
  return CHANNELS.map(({ kind, about, lacks }) => {
    const reason = lacks(config);
    const key = kind === push.kind ? (config.VAPID_PUBLIC_KEY ?? null) : null;
    return { kind, about, available: reason === null, reason, public_key: key };
  });
}

export function deliveryView(delivery: Delivery): z.input<typeof deliverySchema> {
  const { id, channelId, kind, topic, type, title, state, attempts, allowed } = delivery;
  return {
    id,
    channel_id: channelId,
    kind: kindOf(kind),
    topic,
    type,
    title,
    state,
    attempts,
    attempts_allowed: allowed,
    next_attempt_at: state === "pending" ? isoTime(delivery.nextAt) : null,
    last_status: delivery.lastStatus,
    last_detail: delivery.lastDetail,
    created_at: isoTime(delivery.createdAt),
    ended_at: delivery.endedAt === null ? null : isoTime(delivery.endedAt),
  };
}

export function attemptView({ number, at, outcome, status, detail, tookMs }: AttemptLine) {
  return {
    number,
    at: isoTime(at),
    outcome: attemptSchema.shape.outcome.parse(outcome),
    status,
    detail,
    took_ms: tookMs,
  };
}
