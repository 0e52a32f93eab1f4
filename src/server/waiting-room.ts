import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AppError } from "../platform/errors.js";
import { PROBLEM_TYPE, problemOf } from "./problems.js";

/** Answers in place of the server while there is no database yet. */
export interface WaitingRoom {
  /** Sets why there is none, and begins to listen with the first reason. @throws when the address cannot be had. */
  wait(reason: string): Promise<void>;
  /** Makes room for the server, on the same address. */
  close(): Promise<void>;
}

const RETRY_AFTER_S = 2;

/** Says that the process lives, that it is not ready and why, and asks everybody else to come back. */
export function createWaitingRoom(listen: (server: Server) => Promise<unknown>): WaitingRoom {
  let reason = "";
  let server: Server | null = null;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").split("?")[0];
    const json = "application/json; charset=utf-8";
    if (path === "/livez") send(response, 200, json, { status: "alive" });
    else if (path === "/readyz") send(response, 503, json, { status: "not_ready", reason });
    else {
      const error = new AppError(
        "database_unavailable",
        "The database does not answer yet; try again shortly",
      );
      send(response, error.status, PROBLEM_TYPE, problemOf(error, randomUUID()));
    }
    // Whatever is still being sent is not for this server.
    request.resume();
  }

  return {
    async wait(why) {
      reason = why;
      if (server !== null) return;
      server = createServer(answer);
      await listen(server);
    },
    async close() {
      if (server === null) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      server = null;
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, type: string, body: object): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...(status === 200 ? {} : { "retry-after": String(RETRY_AFTER_S) }),
  });
  response.end(JSON.stringify(body));
}
