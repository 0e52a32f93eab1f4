import { z } from "zod";
import type { Config } from "../../platform/config.js";
import type { Outward } from "../../platform/outward.js";
import type { Message } from "./message.js";

/**
 * What became of an attempt. `retry`: it may go better later. `refused`: this message never will. `gone`: no message
 * ever will, and the channel is disabled.
 */
export interface Attempted {
  readonly outcome: "delivered" | "retry" | "refused" | "gone";
  readonly status: number | null;
  /** In words, cut by whoever writes it down. */
  readonly detail: string;
  /** How long the other side wants to hear nothing; null where it did not say. */
  readonly retryAfterMs: number | null;
}

/** A delivery as channels see it. */
export interface Parcel {
  /** The same at each attempt. */
  readonly id: string;
  readonly channelId: string;
  readonly message: Message;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

export interface Picture {
  readonly name: string;
  readonly type: "image/svg+xml" | "image/png";
  readonly bytes: Buffer;
}

/** What channels send with. */
export interface Means {
  readonly config: Pick<
    Config,
    | "TELEGRAM_BOT_TOKEN"
    | "SMTP_URL"
    | "SMTP_FROM"
    | "VAPID_PUBLIC_KEY"
    | "VAPID_PRIVATE_KEY"
    | "VAPID_SUBJECT"
  >;
  readonly outward: Outward;
  /** The pattern that a message is about; null where there is none to be had. */
  picture(message: Message): Promise<Picture | null>;
  /** Tells those who listen to a channel over a socket. */
  publish(channelId: string, payload: unknown): Promise<void>;
}

export interface ChannelDefinition<K extends string, I extends z.ZodObject, T extends z.ZodObject> {
  readonly kind: K;
  readonly about: string;
  /** What a user says of where it leads. */
  readonly input: I;
  /** What is kept of it. */
  readonly target: T;
  /** Fields of the target that are never shown once they were given. */
  readonly secret: readonly (keyof z.output<T> & string)[];
  /** Milliseconds between two messages at least. */
  readonly gapMs: number;
  /** What the server lacks for it; null for nothing. */
  lacks?(config: Means["config"]): string | null;
  /** What is kept of what a user said. @param kept what was before a change. @throws OutwardError */
  prepare(input: z.output<I>, means: Means, kept: z.output<T> | null): Promise<z.output<T>>;
  /** A new signing secret beside those before it. @returns what is kept, and what the user is shown once. @throws {AppError} `conflict` */
  rotate?(target: z.output<T>, nowMs: number): { target: z.output<T>; shown: string };
  /** What the user is shown once, when the channel is made. */
  shown?(target: z.output<T>): string;
  /** Throws only what `attempt` of `answer.ts` understands. */
  send(target: z.output<T>, parcel: Parcel, means: Means): Promise<Attempted>;
}

/** A channel as the features see it, whatever its target is. */
export interface ChannelKind<K extends string = string, I extends z.ZodObject = z.ZodObject> {
  readonly kind: K;
  readonly about: string;
  readonly input: I;
  readonly secret: readonly string[];
  readonly gapMs: number;
  readonly canRotate: boolean;
  lacks(config: Means["config"]): string | null;
  /** @throws z.ZodError for what is no input. */
  prepare(input: unknown, means: Means, kept: Target | null): Promise<Target>;
  rotate(target: Target, nowMs: number): { target: Target; shown: string };
  shown(target: Target): string | null;
  send(target: Target, parcel: Parcel, means: Means): Promise<Attempted>;
}

/** What is kept of where a channel leads, by field. */
export type Target = Readonly<Record<string, unknown>>;

/** A row of the table of channels. */
export function defineChannel<K extends string, I extends z.ZodObject, T extends z.ZodObject>(
  definition: ChannelDefinition<K, I, T>,
): ChannelKind<K, I> {
  const { kind, about, input, target: schema, secret, gapMs } = definition;
  const read = (target: Target): z.output<T> => schema.parse(target);
  return Object.freeze({
    kind,
    about,
    input,
    secret,
    gapMs,
    canRotate: definition.rotate !== undefined,
    lacks: (config: Means["config"]) => definition.lacks?.(config) ?? null,
    prepare: async (given: unknown, means: Means, kept: Target | null) =>
      plain(await definition.prepare(input.parse(given), means, kept === null ? null : read(kept))),
    rotate(target: Target, nowMs: number) {
      if (definition.rotate === undefined) throw new Error(`${kind} has no secret of its own`);
      const { target: kept, shown } = definition.rotate(read(target), nowMs);
      return { target: plain(kept), shown };
    },
    shown: (target: Target) => definition.shown?.(read(target)) ?? null,
    send: async (target: Target, parcel: Parcel, means: Means) =>
      definition.send(read(target), parcel, means),
  });
}

const fields = z.record(z.string(), z.unknown());
const plain = (target: unknown): Target => fields.parse(target);
