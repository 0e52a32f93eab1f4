import type { FastifyInstance } from "fastify";
import { registerSocketIo, type SocketIo, type SocketIoOptions } from "../protocols/socketio/socketio.js";
import { isLoopbackHost, isOriginAllowed } from "./auth.js";
import { addressGroup } from "./counter.js";
import type { SocketSettings } from "./room.js";

export interface SocketIoParts
  extends Omit<SocketIoOptions, "refusal" | "addressOf" | "synthetic" | "identify"> {
  readonly identify: SocketIoOptions["identify"];
  readonly gateway: { readonly synthetic: boolean };
  readonly draining: () => boolean;
  /** Whether the server listens on loopback alone. */
  readonly loopbackOnly: boolean;
  readonly proxyHops: number;
  readonly settings: SocketSettings;
}

/** Serves /socket.io under the rules of all other sockets: origins, hosts, room, and whose an address is. */
export function openSocketIo(app: FastifyInstance, parts: SocketIoParts): SocketIo {
  const { origins, anonymous, draining, loopbackOnly, proxyHops, settings } = parts;
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  return registerSocketIo(app, {
    ...parts,
    synthetic: parts.gateway.synthetic,
    refusal(headers, clients) {
      const { host = "" } = headers;
      if (draining()) return "The server is shutting down";
      if (clients >= settings.clients) return "Too many clients are connected";
      if (loopbackOnly && anonymous !== null && !isLoopbackHost(host) && !hosts.has(host))
        return "Without ADMIN_API_KEY this server answers to loopback names only";
      return isOriginAllowed({ headers }, origins) ? null : "Sockets from this origin are not accepted";
    },
    addressOf: ({ handshake: { headers, address } }) => addressGroup(behind(headers, address, proxyHops)),
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
