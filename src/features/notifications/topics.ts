import { z } from "zod";
import { alertSchema } from "../alerts/schema.js";
import { ALERT_TOPIC } from "../alerts/topics.js";
import type { Message } from "./message.js";

/** Something that channels may tell of, and what their filters look at. */
export interface Told {
  readonly message: Message;
  readonly symbol: string | null;
  /** Measured hit rate, 0..1; null where nothing was measured. */
  readonly confidence: number | null;
}

/** A topic of the event log that channels tell of. */
export interface NotifiedTopic {
  readonly topic: string;
  /** Null for events that nobody is told of, and for what cannot be read. */
  read(payload: unknown, time: number): Told | null;
}

const created = z.object({ kind: z.literal("created"), alert: alertSchema });

const alerts: NotifiedTopic = {
  topic: ALERT_TOPIC,
  read(payload, time) {
    const read = created.safeParse(payload);
    if (!read.success) return null;
    const { alert } = read.data;
    const { symbol, confidence, detection_id: detectionId } = alert;
    return {
      symbol,
      confidence,
      message: {
        type: "alert.created",
        time,
        title: `${alert.alert_type} on ${symbol} ${alert.interval}`,
        lines: linesOf(alert),
        data: alert,
        detectionId,
      },
    };
  },
};

function linesOf(alert: z.output<typeof alertSchema>): string[] {
  const { metadata, confidence_pct: percent } = alert;
  const levels = metadata.risk_suggestions;
  return [
    ...(alert.synthetic ? ["Synthetic market: no real price"] : []),
    `${alert.direction}, ${metadata.suggested_action} at ${alert.price}`,
    ...(levels === null
      ? []
      : [`Entry ${levels.entry}, stop ${levels.stop_loss}, target ${levels.take_profit}`]),
    percent === null ? "Hit rate: nothing measured yet" : `Hit rate: ${percent.toFixed(0)} % as measured`,
    `Quality ${alert.score.toFixed(2)} of 1, bar closed ${alert.closed_at}`,
  ];
}

export const NOTIFIED_TOPICS: readonly NotifiedTopic[] = Object.freeze([alerts]);
/** Of messages that a user asks for, to try a channel. */
export const TEST_TOPIC = "test";
