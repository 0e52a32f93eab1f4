import type { Socket } from "node:net";

/** An open connection whose reader may have stopped to read. */
export interface Read {
  /** What its bytes go through. */
  readonly wire: Pick<Socket, "bytesWritten" | "writableLength">;
  /** Bytes that had left when it was last looked at, and when that was more than before, on the monotonic clock. */
  left: number;
  movedAt: number;
}

/** How often they are looked at. */
export const STALLS_EVERY_MS = 1_000;

/**
 * A function that ends the connections of those who read nothing for some time while there is something to read: what waits for
 * them would only grow.
 * @param unsent bytes that wait.
 * @param elapsed ms of the monotonic clock.
 */
export function createStallWatch<R extends Read>({
  all,
  unsent,
  cut,
  elapsed,
  patienceMs,
}: {
  readonly all: () => Iterable<R>;
  readonly unsent: (reader: R) => number;
  readonly cut: (reader: R) => void;
  readonly elapsed: () => number;
  readonly patienceMs: number;
}): () => void {
  return () => {
    const now = elapsed();
    for (const reader of all()) {
      if (unsent(reader) === 0) {
        reader.movedAt = now;
        continue;
      }
      const left = reader.wire.bytesWritten - reader.wire.writableLength;
      if (left !== reader.left) {
        reader.left = left;
        reader.movedAt = now;
      } else if (now - reader.movedAt > patienceMs) cut(reader);
    }
  };
}
