import { z } from "zod";
import { alertSchema } from "../alerts/schema.js";
import { ALERT_TOPIC } from "../alerts/topics.js";
import { firingSchema } from "../rules/schema.js";
import { RULE_TOPIC, userOfTopic } from "../rules/topics.js";
import type { Message } from "./message.js";

/** Something that channels may tell of, and what their filters look at. */
export interface Told {
  readonly message: Message;
  readonly symbol: string | null;
  /** Measured hit rate, 0..1; null where nothing was measured. */
  readonly confidence: number | null;
  /** Of what is of several symbols, the part that is of some of them; null for none. */
  readonly partOf?: (symbols: readonly string[]) => Told | null;
}

/** A kind of topic of the event log that channels tell of. */
export interface NotifiedTopic {
  /** What its topics begin with, up to the first colon. */
  readonly name: string;
  /** Whose a topic is; null for everybody's. */
  ownerOf(topic: string): string | null;
  /** What an event says, one after another; empty for what nobody is told of, and for what cannot be read. */
  read(payload: unknown, time: number): readonly Told[];
}

const SYNTHETIC = "Synthetic market: no real price";
const created = z.object({ kind: z.literal("created"), alert: alertSchema });

const alerts: NotifiedTopic = {
  name: ALERT_TOPIC,
  ownerOf: () => null,
  read(payload, time) {
    const read = created.safeParse(payload);
    if (!read.success) return [];
    const { alert } = read.data;
    const { symbol, confidence, detection_id: detectionId } = alert;
    const message = {
      type: "alert.created",
      time,
      title: `${alert.alert_type} on ${symbol} ${alert.interval}`,
      lines: linesOf(alert),
      data: alert,
      detectionId,
    };
    return [{ symbol, confidence, message }];
  },
};

const fired = firingSchema.extend({ kind: z.literal("fired") });
const digest = z.object({
  kind: z.literal("digest"),
  count: z.number().int(),
  firings: z.array(firingSchema),
});

const rules: NotifiedTopic = {
  name: RULE_TOPIC,
  ownerOf: userOfTopic,
  read(payload, time) {
    const one = fired.safeParse(payload);
    if (one.success) {
      const { kind: _, ...firing } = one.data;
      return [firingTold(firing, time)];
    }
    const several = digest.safeParse(payload);
    return several.success ? [digestTold(several.data, time)] : [];
  },
};

type Firing = z.output<typeof firingSchema>;

function firingTold(firing: Firing, time: number): Told {
  const { name, symbol, interval, expression, price, fired_at, synthetic } = firing;
  const message = {
    type: "rule.fired",
    time,
    title: `${name}: ${symbol} ${interval}`,
    lines: [
      ...(synthetic ? [SYNTHETIC] : []),
      expression,
      `At ${price}, ${firing.watch === "close" ? "bar closed" : "seen"} ${fired_at}`,
    ],
    data: firing,
    detectionId: null,
  };
  return { symbol, confidence: null, message };
}

/** What was held, in one message; it is of no symbol where it is of several. */
function digestTold({ count, firings }: z.output<typeof digest>, time: number): Told {
  const symbols = new Set(firings.map(({ symbol }) => symbol));
  const [symbol = null] = symbols.size === 1 ? symbols : [];
  const message = {
    type: "rule.digest",
    time,
    title: `${count} ${count === 1 ? "rule has" : "rules have"} fired`,
    lines: [
      ...(firings.some(({ synthetic }) => synthetic) ? [SYNTHETIC] : []),
      ...firings.map(
        (each) => `${each.fired_at} ${each.name}: ${each.symbol} ${each.interval} at ${each.price}`,
      ),
    ],
    data: { count, firings },
    detectionId: null,
  };
  const partOf = (wanted: readonly string[]) => {
    const own = firings.filter((each) => wanted.includes(each.symbol));
    return own.length === 0 ? null : digestTold({ kind: "digest", count: own.length, firings: own }, time);
  };
  return { symbol, confidence: null, message, partOf };
}

function linesOf(alert: z.output<typeof alertSchema>): string[] {
  const { metadata, confidence_pct: percent } = alert;
  const levels = metadata.risk_suggestions;
  return [
    ...(alert.synthetic ? [SYNTHETIC] : []),
    `${alert.direction}, ${metadata.suggested_action} at ${alert.price}`,
    ...(levels === null
      ? []
      : [`Entry ${levels.entry}, stop ${levels.stop_loss}, target ${levels.take_profit}`]),
    percent === null ? "Hit rate: nothing measured yet" : `Hit rate: ${percent.toFixed(0)} % as measured`,
    `Quality ${alert.score.toFixed(2)} of 1, bar closed ${alert.closed_at}`,
  ];
}

export const NOTIFIED_TOPICS: readonly NotifiedTopic[] = Object.freeze([alerts, rules]);
/** Of messages that a user asks for, to try a channel. */
export const TEST_TOPIC = "test";
