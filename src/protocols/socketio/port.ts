import type { Socket } from "socket.io";
import type { Port } from "../../features/stream/clients.js";
import { type Told, translate } from "./translate.js";

/** Frames that all are sent are read and translated once. */
const read = new WeakMap<Buffer, Told>();
const translated = new WeakMap<Told, ReturnType<typeof translate>>();

/**
 * A Socket.IO client as frames of the stream leave through it: each is an event of the name of its type, and, for clients
 * that know nothing of topics, what it says by the events that those expect.
 */
export class SocketIoPort implements Port {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  /** Of packets that wait, and of what the socket beneath has not sent. */
  get unsent(): number {
    const { transport, writeBuffer } = this.#socket.conn as unknown as EngineSocket;
    const waiting = writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    return waiting + (transport.socket?.bufferedAmount ?? 0);
  }

  send(frame: string | Buffer): void {
    const told = toldOf(frame);
    this.#socket.emit(told.type, told);
    for (const [event, payload] of translationOf(told)) this.#socket.emit(event, payload);
  }

  /** Engine.IO sends the packets of a turn together by itself. */
  together(work: () => void): void {
    work();
  }

  close(code: number, reason: string): void {
    this.#socket.emit("error_message", { code, reason });
    this.#socket.disconnect(true);
  }

  terminate(): void {
    this.#socket.conn.close(true);
  }
}

/** What Engine.IO has of a connection beside what it documents. */
interface EngineSocket {
  readonly transport: { readonly socket?: { readonly bufferedAmount: number } };
  readonly writeBuffer: readonly { readonly data?: string | Buffer }[];
}

function toldOf(frame: string | Buffer): Told {
  if (typeof frame === "string") return JSON.parse(frame) as Told;
  const known = read.get(frame) ?? (JSON.parse(frame.toString()) as Told);
  read.set(frame, known);
  return known;
}

function translationOf(told: Told): ReturnType<typeof translate> {
  const known = translated.get(told) ?? translate(told);
  translated.set(told, known);
  return known;
}
