import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { createBroadcast } from "../features/stream/broadcast.js";
import type { Interest } from "../features/stream/clients.js";
import { sleep } from "../platform/clock.js";
import type { Principal } from "../platform/http.js";
import type { Metrics } from "../platform/metrics.js";
import type { Beating } from "./heartbeat.js";
import type { Read } from "./stalls.js";

/** Unsent bytes that a reader may let pile up, and those at which a replay waits. */
const BACKLOG_LIMIT = 1024 * 1024;
const BACKLOG_EASY = 128 * 1024;

/** One who reads topics as server-sent events, all by one cursor: the number of the last event. */
export class EventReader implements Beating, Read {
  readonly topics: ReadonlySet<string>;
  readonly principal: Principal;
  readonly address: string;
  readonly wire: Socket;
  readonly body: Readable;
  readonly socket: { readonly OPEN: 1; readonly readyState: 0 | 1 | 2 | 3; ping(): void };
  left = 0;
  movedAt: number;
  lastHeard: number;
  /** Events up to this number have been written or were there before. */
  at = 0;
  /** The newest event that came while what was before it is being read; null once it has been. */
  held: number | null = 0;

  constructor(
    wire: Socket,
    topics: ReadonlySet<string>,
    principal: Principal,
    address: string,
    nowMs: number,
  ) {
    this.wire = wire;
    this.topics = topics;
    this.principal = principal;
    this.address = address;
    this.movedAt = nowMs;
    this.lastHeard = nowMs;
    this.body = new Readable({ read: () => undefined, highWaterMark: BACKLOG_LIMIT });
    const { body } = this;
    this.socket = {
      OPEN: 1,
      get readyState() {
        return body.destroyed || body.readableEnded ? 3 : 1;
      },
      ping: () => void this.write(": still here\n\n"),
    };
  }

  get unsent(): number {
    return this.body.readableLength + this.wire.writableLength;
  }

  /** @returns false where there is no more room. */
  write(chunk: string | Buffer): boolean {
    if (this.body.destroyed) return true;
    if (this.unsent + chunk.length > BACKLOG_LIMIT) return false;
    this.body.push(chunk);
    return true;
  }
}

interface Published {
  readonly topic: string;
  readonly seq: number | null;
  readonly bytes: Buffer;
}

/** Text of an event. What has no number leaves the cursor where it is. */
export function eventText(frame: string, seq: number | null): string {
  return seq === null ? `data: ${frame}\n\n` : `id: ${seq}\ndata: ${frame}\n\n`;
}

/** Who reads, and what. */
export interface EventReaders {
  size(): number;
  at(address: string): number;
  all(): readonly EventReader[];
  add(reader: EventReader): void;
  publish(topic: string, frame: string, seq: number | null): void;
  write(reader: EventReader, chunk: string | Buffer): void;
  /** Writes, waiting while much is unsent. */
  writePaced(reader: EventReader, chunk: string): Promise<void>;
  cut(reader: EventReader, reason: string): void;
}

export function createEventReaders(metrics: Metrics, interest: Interest): EventReaders {
  const readers = new Set<EventReader>();
  const byTopic = new Map<string, Set<EventReader>>();
  const broadcast = createBroadcast<EventReader, Published>(deliverAll);

  function cut(reader: EventReader, reason: string): void {
    if (!readers.has(reader)) return;
    metrics.socketCuts.inc({ reason });
    remove(reader);
    reader.body.destroy();
    reader.wire.destroy();
  }

  function write(reader: EventReader, chunk: string | Buffer): void {
    if (!reader.write(chunk)) cut(reader, "slow");
    else metrics.socketMessages.inc({ direction: "out" });
  }

  function deliver(reader: EventReader, { seq, bytes }: Published): void {
    if (seq !== null && seq <= reader.at) return;
    if (seq !== null && reader.held !== null) {
      reader.held = seq;
      return;
    }
    if (seq !== null) reader.at = seq;
    write(reader, bytes);
  }

  function deliverAll(reader: EventReader, frames: readonly Published[]): void {
    for (const frame of frames) deliver(reader, frame);
  }

  function remove(reader: EventReader): void {
    if (!readers.delete(reader)) return;
    metrics.socketClients.dec();
    for (const topic of reader.topics) {
      interest.leave(topic);
      const members = byTopic.get(topic);
      members?.delete(reader);
      if (members?.size === 0) byTopic.delete(topic);
    }
  }

  return {
    size: () => readers.size,
    at: (address) => [...readers].filter((reader) => reader.address === address).length,
    all: () => [...readers],
    add(reader) {
      readers.add(reader);
      metrics.socketClients.inc();
      for (const topic of reader.topics) {
        byTopic.set(topic, (byTopic.get(topic) ?? new Set()).add(reader));
        interest.follow(topic, reader.principal);
      }
      reader.body.once("close", () => remove(reader));
    },
    publish(topic, frame, seq) {
      const members = byTopic.get(topic);
      if (members === undefined) return;
      broadcast([...members], { topic, seq, bytes: Buffer.from(eventText(frame, seq)) });
    },
    write,
    async writePaced(reader, chunk) {
      while (readers.has(reader) && reader.unsent > BACKLOG_EASY) await sleep(5);
      write(reader, chunk);
    },
    cut,
  };
}
