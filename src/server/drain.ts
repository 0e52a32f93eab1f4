import type { FastifyInstance } from "fastify";
import { sleep } from "../platform/clock.js";

/** Time that requests underway have to be answered. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Closes the server: no new connections, requests underway are answered, idle connections end at once, and what
 * is still open after five seconds (clients that never finish their request) is cut.
 */
export async function drainServer(app: FastifyInstance): Promise<void> {
  let closed = false;
  const closing = app.close().finally(() => {
    closed = true;
  });
  const deadline = performance.now() + PATIENCE_MS;
  while (!closed && performance.now() < deadline) {
    app.server.closeIdleConnections();
    await Promise.race([closing, sleep(LOOK_EVERY_MS)]);
  }
  if (!closed) app.server.closeAllConnections();
  await closing;
}
