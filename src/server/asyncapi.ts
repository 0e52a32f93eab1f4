import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { GAPS, TOPICS, type TopicKind } from "../features/stream/topics.js";
import type { Role } from "../platform/http.js";

const SOCKET = "socket";
const EVENTS = "events";

type Schema = Readonly<Record<string, unknown>>;

const text = { type: "string" };
const time = { type: "string", format: "date-time" };
const number = { type: "integer" };
const numberOrNull = { type: ["integer", "null"] };
const topics = { type: "array", items: text, minItems: 1, maxItems: 200 };

function objectOf(type: string, properties: Schema, optional: readonly string[] = []): Schema {
  const all: Schema = { type: { const: type }, ...properties };
  const required = Object.keys(all).filter((name) => !optional.includes(name));
  return { type: "object", properties: all, required };
}

/** Frames of no topic in particular: what clients send, and what they are answered. */
const SENT: Readonly<Record<string, Schema>> = {
  subscribe: objectOf(
    "subscribe",
    {
      topics,
      since: {
        type: "object",
        additionalProperties: number,
        description: "Number of the last event seen, by topic",
      },
      snapshot: { type: "boolean", description: "Whether what is true now comes first" },
    },
    ["since", "snapshot"],
  ),
  unsubscribe: objectOf("unsubscribe", { topics }),
  ping: objectOf("ping", {}),
};
const ANSWERED: Readonly<Record<string, Schema>> = {
  welcome: objectOf("welcome", { time, heartbeat_ms: number }),
  heartbeat: objectOf("heartbeat", { time }),
  pong: objectOf("pong", { time }),
  subscribed: objectOf("subscribed", {
    topic: text,
    since: numberOrNull,
    seq: {
      ...numberOrNull,
      description: "Number to resume from, until an event or a snapshot brings another",
    },
  }),
  unsubscribed: objectOf("unsubscribed", { topics }),
  resumed: objectOf(
    "resumed",
    {
      topic: text,
      replayed: number,
      seq: number,
      truncated: { type: "boolean" },
      reason: { enum: [...GAPS], description: "Why something is missing, where it is" },
    },
    ["reason"],
  ),
  error: objectOf(
    "error",
    {
      code: text,
      detail: text,
      topic: { ...text, description: "The topic that is not heard, as it was asked for" },
    },
    ["topic"],
  ),
};

/**
 * What is told over /ws and /api/events, as AsyncAPI 3.0 has it: one channel a kind of topic, whose events and snapshots are
 * as the table of topics has them, and one for frames of no topic.
 */
export function asyncapiDocument(version: string): Readonly<Record<string, unknown>> {
  const messages: Record<string, unknown> = {};
  const schemas: Record<string, unknown> = {};
  const channels: Record<string, unknown> = {
    [SOCKET]: {
      address: "/ws",
      title: "Frames of no topic in particular",
      servers: [{ $ref: `#/servers/${SOCKET}` }],
      messages: refsOf([...Object.keys(SENT), ...Object.keys(ANSWERED)]),
    },
  };
  const operations: Record<string, unknown> = {
    [SOCKET]: operationOf("receive", SOCKET, Object.keys(SENT)),
    answer: operationOf("send", SOCKET, Object.keys(ANSWERED)),
  };
  for (const [name, payload] of Object.entries({ ...SENT, ...ANSWERED })) messages[name] = { name, payload };
  for (const kind of TOPICS) {
    const own = messagesOf(kind, schemas);
    for (const [name, payload] of own) messages[name] = { name, title: kind.description, payload };
    const names = own.map(([name]) => name);
    channels[kind.name] = channelOf(kind, names);
    operations[kind.name] = operationOf("send", kind.name, names);
  }
  return {
    asyncapi: "3.0.0",
    info: { title: "TX", version, license: { name: "MIT" }, description: DESCRIPTION },
    defaultContentType: "application/json",
    servers: {
      [SOCKET]: { host: "localhost", protocol: "ws", pathname: "/ws" },
      [EVENTS]: {
        host: "localhost",
        protocol: "http",
        pathname: "/api/events",
        description: "Server-sent events; data is what /ws sends",
      },
    },
    channels,
    operations,
    components: { messages, schemas },
  };
}

const DESCRIPTION =
  "Topics are subscribed to by their address. Events of kept ones are numbered: each says which number came before it on its " +
  "topic, and a subscriber that says the last number it saw is told what it missed. Those that are not kept say that it is lost, " +
  "and begin with a snapshot where they have one.";

/** Events of a kind and, where it has them, snapshots. */
function messagesOf(
  { name, kept, payload, snapshot }: TopicKind,
  schemas: Record<string, unknown>,
): [string, Schema][] {
  const place = kept ? number : { type: "null" };
  const event = objectOf("event", {
    topic: text,
    seq: place,
    previous_seq: place,
    time,
    data: jsonSchemaOf(payload, schemas),
  });
  if (snapshot === null) return [[`${name}Event`, event]];
  const data = { anyOf: [jsonSchemaOf(snapshot, schemas), { type: "null" }] };
  const why = { type: "string", description: "Why there is none" };
  const told = objectOf("snapshot", { topic: text, seq: number, time, data, why }, ["why"]);
  return [
    [`${name}Event`, event],
    [`${name}Snapshot`, told],
  ];
}

/** A schema whose named parts are put into `shared`. */
function jsonSchemaOf(type: z.ZodType, shared: Record<string, unknown>): Schema {
  const {
    $schema: _,
    definitions,
    ...schema
  } = z.toJSONSchema(type, { target: "draft-7" }) as {
    readonly $schema?: string;
    readonly definitions?: Schema;
  };
  const atHome = (text: string) =>
    JSON.parse(text.replaceAll('"#/definitions/', '"#/components/schemas/')) as Schema;
  for (const [name, part] of Object.entries(definitions ?? {})) shared[name] = atHome(JSON.stringify(part));
  return atHome(JSON.stringify(schema));
}

function channelOf({ form, description, audience, kept }: TopicKind, names: readonly string[]): Schema {
  const parameters = Object.fromEntries(
    form
      .split(":")
      .slice(1)
      .map((part) => [part.toLowerCase(), { description: part === "ID" ? "Of a thing of one's own" : part }]),
  );
  return {
    address: form.replace(/:([A-Z]+)/g, (_, part: string) => `:{${part.toLowerCase()}}`),
    description: `${description}. ${audience === "owner" ? "For its owner." : "For all who may read."} ${kept ? "Kept for two days." : "Not kept."}`,
    servers: [{ $ref: `#/servers/${SOCKET}` }, { $ref: `#/servers/${EVENTS}` }],
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    messages: refsOf(names),
  };
}

function refsOf(names: readonly string[]): Schema {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function operationOf(action: "send" | "receive", channel: string, names: readonly string[]): Schema {
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  };
}

/** Serves the document at /asyncapi.json. */
export function registerAsyncapi(app: FastifyInstance, version: string, access: Role | "open"): void {
  const document = asyncapiDocument(version);
  app.get(
    "/asyncapi.json",
    { schema: { hide: true }, config: { access, perMinute: 60 } },
    async () => document,
  );
}
