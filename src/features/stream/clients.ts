import { sleep } from "../../platform/clock.js";
import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { Metrics } from "../../platform/metrics.js";
import { createBroadcast } from "./broadcast.js";

/** What is sent to all who hear a topic; `topic` is null for what everybody is told. */
export interface Published {
  readonly topic: string | null;
  /** Place among the events of a kept topic, else null. */
  readonly seq: number | null;
  readonly frame: Buffer;
}

/** What frames leave through: a connection of whatever kind. */
export interface Port {
  /** Whether anything can still be sent. */
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly unsent: number;
  send(frame: string | Buffer): void;
  /** Lets what `work` sends leave at once. */
  together(work: () => void): void;
  /** Ends it with a code and a reason that the other end may read. */
  close(code: number, reason: string): void;
  /** Ends it at once. */
  terminate(): void;
}

/** One who hears topics over a connection. */
export interface Client {
  readonly port: Port;
  readonly address: string;
  readonly principal: Principal;
  readonly topics: Set<string>;
  /** Topics whose subscriber is still being told what came before, with the newest number published meanwhile. */
  readonly held: Map<string, number>;
  /** Numbers up to which events of a topic were replayed: the live ones follow on. */
  readonly replayedTo: Map<string, number>;
  /** True once its end is decided: nothing it sends counts any more. */
  ending: boolean;
}

/** One that has just come and hears nothing yet. */
export function newClient(port: Port, address: string, principal: Principal): Client {
  return {
    port,
    address,
    principal,
    topics: new Set(),
    held: new Map(),
    replayedTo: new Map(),
    ending: false,
  };
}

/** Who is connected, and who hears what. */
export interface Clients<C extends Client = Client> {
  size(): number;
  at(address: string): number;
  all(): readonly C[];
  add(client: C): void;
  remove(client: C): void;
  /** @throws {AppError} `invalid_request` beyond the limit of topics. */
  join(client: C, topic: string): void;
  leave(client: C, topic: string): void;
  /** Joins a kept topic whose events are read back until `release`, not sent as they come. @throws as `join`. */
  hold(client: C, topic: string): void;
  /** Number of the newest event that was not sent because of `hold`; 0 without one. */
  heldTo(client: C, topic: string): number;
  /** From now on events are sent as they come, but for those up to a number that the client has already. */
  release(client: C, topic: string, upTo: number): void;
  send(client: C, frame: string | Buffer): void;
  /** As `send`, waiting while much is unsent: for more frames than a connection takes at once. */
  sendPaced(client: C, frame: string): Promise<void>;
  publish(topic: string, frame: string, seq: number | null): void;
  publishToAll(frame: string): void;
  /** Ends a connection: with a close frame, or without one when it would not be read. */
  cut(client: C, reason: string, code: number | null): void;
}

/** Unsent bytes a client may let pile up. */
const BACKLOG_LIMIT = 1024 * 1024;
/** Unsent bytes at which frames that can wait do. */
const BACKLOG_EASY = 128 * 1024;
const PACE_LIMIT_MS = 15_000;
export const TOPICS_A_CLIENT = 200;

/** Sends to one client, within what it may leave unread. */
function createSender(metrics: Metrics) {
  function cut(client: Client, reason: string, code: number | null): void {
    if (client.ending) return;
    client.ending = true;
    metrics.socketCuts.inc({ reason });
    if (code === null) client.port.terminate();
    else client.port.close(code, reason);
  }

  function send(client: Client, frame: string | Buffer): void {
    const { port } = client;
    if (!port.isOpen) return;
    if (port.unsent + frame.length > BACKLOG_LIMIT) {
      cut(client, "slow", null);
      return;
    }
    port.send(frame);
    metrics.socketMessages.inc({ direction: "out" });
  }

  async function sendPaced(client: Client, frame: string): Promise<void> {
    const { port } = client;
    const deadline = performance.now() + PACE_LIMIT_MS;
    while (port.isOpen && port.unsent > BACKLOG_EASY) {
      if (performance.now() > deadline) cut(client, "slow", null);
      await sleep(5);
    }
    send(client, frame);
  }

  function deliver(client: Client, published: Published): void {
    const { topic, seq, frame } = published;
    if (topic === null) {
      send(client, frame);
      return;
    }
    if (!client.topics.has(topic)) return;
    if (seq !== null && seq <= (client.replayedTo.get(topic) ?? -1)) return;
    if (seq !== null && client.held.has(topic)) client.held.set(topic, seq);
    else send(client, frame);
  }

  function deliverAll(client: Client, frames: readonly Published[]): void {
    if (frames.length === 1) deliver(client, frames[0]);
    else
      client.port.together(() => {
        for (const frame of frames) deliver(client, frame);
      });
  }

  return { cut, send, sendPaced, deliverAll };
}

/** Is told once for each who hears a topic, and once for each who hears it no more. */
export interface Interest {
  follow(topic: string, principal: Principal): void;
  leave(topic: string): void;
}

export function createClients<C extends Client>(metrics: Metrics, interest: Interest): Clients<C> {
  const clients = new Set<C>();
  const byTopic = new Map<string, Set<C>>();
  const byAddress = new Map<string, number>();
  const { cut, send, sendPaced, deliverAll } = createSender(metrics);
  const broadcast = createBroadcast<C, Published>(deliverAll);

  function count(address: string, change: number): void {
    const next = (byAddress.get(address) ?? 0) + change;
    if (next > 0) byAddress.set(address, next);
    else byAddress.delete(address);
    metrics.socketClients.inc(change);
  }

  function join(client: C, topic: string): void {
    // It may have gone while its frame was being handled.
    if (!clients.has(client)) return;
    if (client.topics.size >= TOPICS_A_CLIENT && !client.topics.has(topic)) {
      throw new AppError("invalid_request", `At most ${TOPICS_A_CLIENT} topics a connection`);
    }
    if (!client.topics.has(topic)) interest.follow(topic, client.principal);
    client.topics.add(topic);
    byTopic.set(topic, (byTopic.get(topic) ?? new Set()).add(client));
  }

  function leave(client: C, topic: string): void {
    if (client.topics.delete(topic)) interest.leave(topic);
    client.held.delete(topic);
    client.replayedTo.delete(topic);
    const members = byTopic.get(topic);
    members?.delete(client);
    if (members?.size === 0) byTopic.delete(topic);
  }

  return {
    size: () => clients.size,
    at: (address) => byAddress.get(address) ?? 0,
    all: () => [...clients],
    add(client) {
      clients.add(client);
      count(client.address, 1);
    },
    remove(client) {
      if (!clients.delete(client)) return;
      for (const topic of client.topics) leave(client, topic);
      count(client.address, -1);
    },
    join,
    leave,
    hold(client, topic) {
      join(client, topic);
      client.replayedTo.delete(topic);
      client.held.set(topic, 0);
    },
    heldTo: (client, topic) => client.held.get(topic) ?? 0,
    release(client, topic, upTo) {
      client.held.delete(topic);
      client.replayedTo.set(topic, upTo);
    },
    send,
    sendPaced,
    publish(topic, frame, seq) {
      const members = byTopic.get(topic);
      if (members !== undefined) broadcast([...members], { topic, seq, frame: Buffer.from(frame) });
    },
    publishToAll: (frame) => broadcast([...clients], { topic: null, seq: null, frame: Buffer.from(frame) }),
    cut,
  };
}
