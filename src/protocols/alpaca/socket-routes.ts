// Adds `websocket` to the options of a route.
import type {} from "@fastify/websocket";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { requireHandshake } from "../../platform/handshake.js";
import { CREDENTIALS } from "./auth.js";
import { asksForMsgpack, type Codec, MSGPACK_CODEC } from "./codec.js";
import type { Connection, Connections, Dialogue } from "./connection.js";
import { ERROR_STATUSES } from "./errors.js";
import { errorResponses, TAG } from "./http.js";

const PER_MINUTE = 600;
const CONNECTIONS_LIMIT = 2_000;

export interface SocketRoute {
  readonly id: string;
  readonly summary: string;
  readonly path: string;
  /** How frames are written to those who do not ask for msgpack. */
  readonly plain: Codec;
  open(connection: Connection): Dialogue;
}

export interface SocketRouteOptions {
  readonly connections: Connections;
  readonly draining: () => boolean;
}

/** Serves sockets, each opened by a handshake; who one is may be said in its headers or in the first frame. */
export function socketRoutes(
  app: FastifyInstance,
  routes: readonly SocketRoute[],
  { connections, draining }: SocketRouteOptions,
): void {
  for (const { id, summary, path, plain, open } of routes) {
    app.get(
      path,
      {
        websocket: true,
        preHandler: async (request) => {
          requireHandshake(request, draining);
          if (connections.size() >= CONNECTIONS_LIMIT)
            throw new AppError("overloaded", "Too many sockets are open", { retryAfterS: 30 });
        },
        config: { access: "open", perMinute: PER_MINUTE, credentials: CREDENTIALS },
        schema: {
          operationId: id,
          tags: [TAG],
          summary,
          querystring: z.object({}),
          response: {
            101: z.null().describe("Switching protocols"),
            ...errorResponses({ ...ERROR_STATUSES, 426: "The address speaks WebSocket" }),
          },
        },
      },
      (socket, { ip, principal, headers }) => {
        const codec = asksForMsgpack(headers["content-type"]) ? MSGPACK_CODEC : plain;
        // Those who are known without a key say who they are like all others.
        const known = principal === null || principal.anonymous ? null : principal;
        connections.attach(socket, { ip, principal: known, codec }, open);
      },
    );
  }
}
