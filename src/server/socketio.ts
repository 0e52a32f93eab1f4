import type { FastifyInstance } from "fastify";
import { AppError } from "../platform/errors.js";
import type { RedisClient } from "../platform/redis.js";
import {
  type Handshake,
  registerSocketIo,
  type SocketIo,
  type SocketIoOptions,
} from "../protocols/socketio/socketio.js";
import { isLoopbackHost, isOriginAllowed } from "./auth.js";
import { addressGroup, createCounter } from "./counter.js";
import { requireRoom, type SocketSettings } from "./room.js";

export interface SocketIoParts
  extends Omit<SocketIoOptions, "requireWelcome" | "addressOf" | "synthetic" | "identify"> {
  readonly identify: SocketIoOptions["identify"];
  readonly gateway: { readonly synthetic: boolean };
  readonly draining: () => boolean;
  /** Whether the server listens on loopback alone. */
  readonly loopbackOnly: boolean;
  readonly proxyHops: number;
  readonly settings: SocketSettings;
  readonly limitRedis: RedisClient | null;
  /** Multiplies the limit of handshakes. */
  readonly limitMultiplier: number;
}

/** As many as of /ws. */
const HANDSHAKES_A_MINUTE = 600;
const WINDOW_MS = 60_000;

/** Serves /socket.io under the rules of all other sockets: origins, hosts, room, and whose an address is. */
export function openSocketIo(app: FastifyInstance, parts: SocketIoParts): SocketIo {
  const { origins, anonymous, draining, loopbackOnly, proxyHops, settings } = parts;
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  const handshakes = createCounter(parts.limitRedis, WINDOW_MS);
  const mostHandshakes = Math.max(1, Math.round(HANDSHAKES_A_MINUTE * parts.limitMultiplier));
  const ipOf = ({ headers, address }: Handshake) => behind(headers, address, proxyHops);

  return registerSocketIo(app, {
    ...parts,
    synthetic: parts.gateway.synthetic,
    async requireWelcome(handshake, clients) {
      const { headers } = handshake;
      const { host = "" } = headers;
      if (draining()) throw new AppError("shutting_down", "The server is shutting down");
      if (loopbackOnly && anonymous !== null && !isLoopbackHost(host) && !hosts.has(host)) {
        const detail = "Without ADMIN_API_KEY this server answers to loopback names only";
        throw new AppError("origin_refused", detail);
      }
      if (!isOriginAllowed({ headers }, origins)) {
        throw new AppError("origin_refused", "Sockets from this origin are not accepted");
      }
      const ip = ipOf(handshake);
      const { count } = await handshakes.increment(`limit:/socket.io:ip ${addressGroup(ip)}`);
      if (count > mostHandshakes) {
        throw new AppError("rate_limited", `More than ${mostHandshakes} connections within a minute`);
      }
      requireRoom({ ip }, clients, settings);
    },
    addressOf: (handshake) => addressGroup(ipOf(handshake)),
  });
}

/** Who is behind so many proxies, each of which adds whom it heard from at the end. */
function behind(headers: NodeJS.Dict<string | string[]>, address: string, hops: number): string {
  const told = [headers["x-forwarded-for"] ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((each) => each.trim());
  const chain = [address, ...told.filter((each) => each !== "").reverse()];
  return chain[Math.min(hops, chain.length - 1)];
}
