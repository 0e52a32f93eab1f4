import type { Socket } from "node:net";

/** An open connection whose reader may have stopped to read. */
export interface Read {
  /** What its bytes go through. */
  readonly wire: Pick<Socket, "bytesWritten" | "writableLength">;
  /** Bytes that had left when it was last looked at, and when that was more than before, on the monotonic clock. */
  left: number;
  movedAt: number;
}

/** One that can be asked whether it reads, though the network between takes what is sent for a long time. */
export interface Asked {
  /** Says whether something was sent since it was last asked. */
  readonly port: { isActive: boolean };
  /** When it was asked what it has not answered, on the monotonic clock; null for nothing. */
  askedAt: number | null;
}

/** How often they are looked at. */
export const STALLS_EVERY_MS = 1_000;
/** Those to whom something is sent are asked so many times within the patience. */
const ASKED_TIMES = 2;

interface StallOptions<R extends Read> {
  readonly all: () => Iterable<R>;
  /** Bytes that wait. */
  readonly unsent: (reader: R) => number;
  readonly cut: (reader: R) => void;
  /** Ms of the monotonic clock. */
  readonly elapsed: () => number;
  readonly patienceMs: number;
}

/**
 * A function that ends the connections of those who read nothing for some time while there is something to read: what waits for
 * them would only grow.
 */
export function createStallWatch<R extends Read>(options: StallOptions<R>): () => void {
  const { all, elapsed } = options;
  return () => {
    const now = elapsed();
    for (const reader of all()) if (isStalled(reader, now, options)) options.cut(reader);
  };
}

/** The same, also by those who are asked and do not answer. @param ask sends what they answer to. */
export function createAskingWatch<R extends Read & Asked>(
  options: StallOptions<R> & { readonly ask: (reader: R) => void },
): () => void {
  const { all, cut, ask, elapsed, patienceMs } = options;
  const lastAsked = new WeakMap<R, number>();
  return () => {
    const now = elapsed();
    for (const reader of all()) {
      const waits = reader.askedAt !== null && now - reader.askedAt > patienceMs;
      if (waits || isStalled(reader, now, options)) {
        cut(reader);
        continue;
      }
      const since = now - (lastAsked.get(reader) ?? Number.NEGATIVE_INFINITY);
      if (!reader.port.isActive || reader.askedAt !== null || since < patienceMs / ASKED_TIMES) continue;
      lastAsked.set(reader, now);
      reader.port.isActive = false;
      reader.askedAt = now;
      ask(reader);
    }
  };
}

function isStalled<R extends Read>(reader: R, now: number, { unsent, patienceMs }: StallOptions<R>): boolean {
  if (unsent(reader) === 0) {
    reader.movedAt = now;
    return false;
  }
  const left = reader.wire.bytesWritten - reader.wire.writableLength;
  if (left === reader.left) return now - reader.movedAt > patienceMs;
  reader.left = left;
  reader.movedAt = now;
  return false;
}
