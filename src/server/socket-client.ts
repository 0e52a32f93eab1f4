import type { Socket } from "node:net";
import type { FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { type Client, newClient, type Port } from "../features/stream/clients.js";
import type { Principal } from "../platform/http.js";
import { addressGroup } from "./counter.js";
import type { Beating } from "./heartbeat.js";
import type { Asked, Read } from "./stalls.js";

/** One who hears topics over a WebSocket. */
export interface SocketClient extends Client, Read, Asked, Beating {
  readonly socket: WebSocket;
  readonly port: SocketPort;
  /** When a frame or pong came last, on the monotonic clock. */
  lastHeard: number;
  badFrames: number;
  windowStart: number;
  windowFrames: number;
}

class SocketPort implements Port {
  readonly #socket: WebSocket;
  readonly #wire: Socket;

  /** Whether anything was sent since this was last set to false. */
  isActive = false;

  constructor(socket: WebSocket, wire: Socket) {
    this.#socket = socket;
    this.#wire = wire;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string | Buffer): void {
    this.isActive = true;
    this.#socket.send(frame, { binary: false });
  }

  together(work: () => void): void {
    this.#wire.cork();
    work();
    this.#wire.uncork();
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
  const port = new SocketPort(socket, raw.socket);
  return Object.assign(newClient(port, addressGroup(ip), principal), {
    socket,
    port,
    askedAt: null,
    wire: raw.socket,
    left: 0,
    movedAt: elapsedMs,
    lastHeard: elapsedMs,
    badFrames: 0,
    windowStart: elapsedMs,
    windowFrames: 0,
  });
}
