import type { WebSocket } from "ws";
import { AppError } from "../platform/errors.js";
import type { Principal } from "../platform/http.js";
import type { Metrics } from "../platform/metrics.js";
import { createBroadcast } from "./broadcast.js";

/** One open socket. */
export interface Client {
  readonly socket: WebSocket;
  readonly address: string;
  readonly principal: Principal;
  readonly topics: Set<string>;
  /** When a frame or pong came last, epoch ms. */
  lastHeard: number;
  badFrames: number;
  windowStart: number;
  windowFrames: number;
}

/** Who is connected, and who hears what. */
export interface Clients {
  size(): number;
  at(address: string): number;
  all(): readonly Client[];
  add(client: Client): void;
  remove(client: Client): void;
  /** @throws {AppError} `invalid_request` beyond the limit of topics. */
  join(client: Client, topic: string): void;
  leave(client: Client, topic: string): void;
  send(client: Client, frame: string | Buffer): void;
  publish(topic: string, frame: string): void;
  publishToAll(frame: string): void;
  /** Ends a connection: with a close frame, or without one when it would not be read. */
  cut(client: Client, reason: string, code: number | null): void;
}

/** Unsent bytes a client may let pile up. */
const BACKLOG_LIMIT = 1024 * 1024;
export const TOPICS_A_CLIENT = 200;

export function createClients(metrics: Metrics): Clients {
  const clients = new Set<Client>();
  const byTopic = new Map<string, Set<Client>>();
  const byAddress = new Map<string, number>();

  function count(address: string, change: number): void {
    const next = (byAddress.get(address) ?? 0) + change;
    if (next > 0) byAddress.set(address, next);
    else byAddress.delete(address);
    metrics.socketClients.set(clients.size);
  }

  function leave(client: Client, topic: string): void {
    client.topics.delete(topic);
    const members = byTopic.get(topic);
    members?.delete(client);
    if (members?.size === 0) byTopic.delete(topic);
  }

  function cut({ socket }: Client, reason: string, code: number | null): void {
    metrics.socketCuts.inc({ reason });
    if (code === null) socket.terminate();
    else socket.close(code, reason);
  }

  function send(client: Client, frame: string | Buffer): void {
    const { socket } = client;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount + frame.length > BACKLOG_LIMIT) {
      cut(client, "slow", null);
      return;
    }
    socket.send(frame, { binary: false });
    metrics.socketMessages.inc({ direction: "out" });
  }

  const broadcast = createBroadcast<Client>(send);

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
    join(client, topic) {
      if (client.topics.size >= TOPICS_A_CLIENT && !client.topics.has(topic)) {
        throw new AppError("invalid_request", `At most ${TOPICS_A_CLIENT} topics a connection`);
      }
      client.topics.add(topic);
      byTopic.set(topic, (byTopic.get(topic) ?? new Set()).add(client));
    },
    leave,
    send,
    publish(topic, frame) {
      const members = byTopic.get(topic);
      if (members !== undefined) broadcast([...members], Buffer.from(frame));
    },
    publishToAll: (frame) => broadcast([...clients], Buffer.from(frame)),
    cut,
  };
}
