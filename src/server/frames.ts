import { z } from "zod";
import { type Clients, TOPICS_A_CLIENT } from "../features/stream/clients.js";
import type { Stream } from "../features/stream/stream.js";
import { createSubscribing, type Subscribe } from "../features/stream/subscribing.js";
import { AppError } from "../platform/errors.js";
import { isoTime } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import type { SocketClient } from "./socket-client.js";

const topics = z.array(z.string().max(100)).min(1).max(TOPICS_A_CLIENT);

const frameSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("subscribe"),
    topics,
    /** Number of the last event seen, by topic. */
    since: z.record(z.string().max(100), z.number().int().min(0)).optional(),
    /** Whether what is true now comes first, of topics that are not resumed. */
    snapshot: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal("unsubscribe"), topics }),
  z.strictObject({ type: z.literal("ping") }),
]);

/** What a client's frames do. Nothing a client sends ends more than its own connection. */
export interface Frames {
  /** @throws {AppError} for a frame that is not understood. */
  handle(client: SocketClient, text: string): Promise<void>;
  /** @throws {AppError} as `Subscribe`. */
  subscribe(...asked: Parameters<Subscribe<SocketClient>>): Promise<void>;
  /** Answers a frame that failed; too many of them end the connection. */
  refuse(client: SocketClient, error: unknown): void;
}

const BAD_FRAMES_LIMIT = 20;
const CLOSE_POLICY = 1008;

export function createFrames(options: {
  stream: Stream;
  clients: Clients<SocketClient>;
  log: Log;
  now: () => number;
}): Frames {
  const { stream, clients, log, now } = options;
  const reply = (client: SocketClient, message: object) => clients.send(client, JSON.stringify(message));

  function tellError(client: SocketClient, error: unknown, about: { readonly topic?: string } = {}): void {
    if (client.ending) return;
    const known = error instanceof AppError ? error : null;
    if (known === null) log.error({ err: error }, "socket frame failed");
    reply(client, {
      type: "error",
      code: known?.code ?? "internal",
      detail: known?.message ?? "The server failed to handle the frame",
      ...about,
    });
  }

  /** What the server fails at is not the client's doing. */
  function countBad(client: SocketClient, error: unknown): void {
    if (client.ending || !(error instanceof AppError) || error.status >= 500) return;
    client.badFrames++;
    if (client.badFrames > BAD_FRAMES_LIMIT) clients.cut(client, "too many bad frames", CLOSE_POLICY);
  }

  const open = createSubscribing({
    stream,
    clients,
    refuse: (client, { topic, error }) => tellError(client, error, { topic }),
  });
  /** A frame is bad once, however many of its topics are refused. */
  async function subscribe(...asked: Parameters<Subscribe<SocketClient>>): Promise<void> {
    const { refused } = await open(...asked);
    const [own] = refused.filter(({ error }) => error instanceof AppError && error.status < 500);
    if (own !== undefined) countBad(asked[0], own.error);
  }

  return {
    subscribe,
    async handle(client, text) {
      if (client.ending) return;
      const frame = frameSchema.safeParse(parseJson(text));
      if (!frame.success) {
        const [issue] = frame.error.issues;
        throw new AppError(
          "invalid_request",
          `${issue?.path.join(".") || "frame"}: ${issue?.message ?? "not valid"}`,
        );
      }
      const { data } = frame;
      if (data.type === "ping") reply(client, { type: "pong", time: isoTime(now()) });
      else if (data.type === "subscribe") {
        await subscribe(client, data.topics, data.since ?? {}, data.snapshot);
      } else {
        for (const topic of data.topics) clients.leave(client, stream.topicOf(topic));
        reply(client, { type: "unsubscribed", topics: data.topics });
      }
    },
    refuse(client, error) {
      tellError(client, error);
      countBad(client, error);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_request", "The frame is not JSON", { cause: error });
  }
}
