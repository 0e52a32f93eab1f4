import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { sleep } from "../platform/clock.js";

/** Time that requests underway have to be answered. */
const PATIENCE_MS = 5_000;
/** Time for requests that are on their way when the server stops listening. */
const GRACE_MS = 200;
const LOOK_EVERY_MS = 50;

/**
 * A function that closes the server: no new connections, requests underway are answered within five seconds, and
 * whatever has no request underway (idle connections, clients that never finish their headers) is cut.
 */
export function createDrain(app: FastifyInstance): () => Promise<void> {
  let underway = 0;
  const connections = new Set<Socket>();
  app.server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  app.server.on("request", (_request, response) => {
    underway++;
    response.once("close", () => {
      underway--;
    });
  });
  return async () => {
    let closed = false;
    const closing = app.close().finally(() => {
      closed = true;
    });
    const started = performance.now();
    for (;;) {
      await Promise.race([closing, sleep(LOOK_EVERY_MS)]);
      if (closed) break;
      const waitedMs = performance.now() - started;
      // Upgraded connections are none of the HTTP server's; it would wait for them for ever.
      if (waitedMs > PATIENCE_MS) for (const socket of connections) socket.destroy();
      else if (underway === 0 && waitedMs > GRACE_MS) app.server.closeAllConnections();
      else app.server.closeIdleConnections();
    }
    await closing;
  };
}
