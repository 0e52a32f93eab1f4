import type { FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { type Client, newClient, type Port } from "../features/stream/clients.js";
import type { Principal } from "../platform/http.js";
import { addressGroup } from "./counter.js";
import type { Beating } from "./heartbeat.js";
import type { Read } from "./stalls.js";

/** One who hears topics over a WebSocket. */
export interface SocketClient extends Client, Read, Beating {
  readonly socket: WebSocket;
  /** When a frame or pong came last, on the monotonic clock. */
  lastHeard: number;
  badFrames: number;
  windowStart: number;
  windowFrames: number;
}

class SocketPort implements Port {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string | Buffer): void {
    this.#socket.send(frame, { binary: false });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

export function newSocketClient(
  socket: WebSocket,
  { ip, raw }: FastifyRequest,
  principal: Principal,
  elapsedMs: number,
): SocketClient {
  return Object.assign(newClient(new SocketPort(socket), addressGroup(ip), principal), {
    socket,
    wire: raw.socket,
    left: 0,
    movedAt: elapsedMs,
    lastHeard: elapsedMs,
    badFrames: 0,
    windowStart: elapsedMs,
    windowFrames: 0,
  });
}
