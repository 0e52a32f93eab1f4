import { createSnapshots, type SnapshotParts } from "./snapshots.js";
import { createStream, type Stream, type StreamParts } from "./stream.js";

/** What is published, with what is true when somebody begins to listen. */
export function createStreamFeature(
  parts: Omit<StreamParts, "readSnapshot" | "accounts"> &
    SnapshotParts & { readonly paper: { readonly accounts: StreamParts["accounts"] } },
): Stream {
  return createStream({ ...parts, accounts: parts.paper.accounts, readSnapshot: createSnapshots(parts) });
}
