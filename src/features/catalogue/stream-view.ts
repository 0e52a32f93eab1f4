import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { StreamHealth } from "../../providers/stream-client.js";
import type { streamHealthSchema } from "./schema.js";

type View = z.input<typeof streamHealthSchema>;

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

/** Streams of a vendor, which may have one for each class of instruments, named after it. */
export function streamsOf(streams: readonly StreamHealth[], vendor: string): readonly StreamHealth[] {
  return streams.filter(({ name }) => name === vendor || name.startsWith(`${vendor}-`));
}

export function streamHealthView(stream: StreamHealth, nowMs: number): View {
  const { name, connected, since, lastHeardAt, lastTradeAt, reconnects, followed, lastError } = stream;
  return {
    name,
    connected,
    since: isoTime(since),
    last_message: timeOf(lastHeardAt),
    last_message_age_ms: lastHeardAt === null ? null : Math.max(0, nowMs - lastHeardAt),
    last_trade: timeOf(lastTradeAt),
    reconnects,
    symbols: followed.map(({ symbol }) => symbol),
    last_error: lastError,
  };
}
