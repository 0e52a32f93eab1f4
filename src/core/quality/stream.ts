import type { Issue } from "./issue.js";

/** How a stream of trades is. */
export interface StreamState {
  readonly name: string;
  readonly connected: boolean;
  /** Since when it has been as it is, epoch ms. */
  readonly since: number;
  readonly lastTradeAt: number | null;
  /** Why it was lost; null where it was not. */
  readonly lastError: string | null;
  /** Since when an exchange of what is followed has been open, epoch ms; null while all are closed. */
  readonly openSince: number | null;
}

const DOWN_CRITICAL_MS = 300_000;
const SILENT_WARNING_MS = 300_000;
const SILENT_CRITICAL_MS = 600_000;

/** What a stream leaves unheard while exchanges are open: all of it while it is down, or no trade for five minutes. */
export function checkStream(state: StreamState, nowMs: number): Issue[] {
  const { name, connected, since, lastTradeAt, lastError, openSince } = state;
  if (openSince === null) return [];
  const found = { subject: name, count: 1 };
  const changedMs = nowMs - Math.max(since, openSince);
  if (!connected) {
    const detail = `down for ${seconds(changedMs)}${lastError === null ? "" : `: ${lastError}`}`;
    const severity = changedMs > DOWN_CRITICAL_MS ? "critical" : "warning";
    return [{ ...found, code: "stream_down", severity, detail, time: since }];
  }
  const quietMs = Math.min(changedMs, nowMs - (lastTradeAt ?? 0));
  if (quietMs <= SILENT_WARNING_MS) return [];
  const severity = quietMs > SILENT_CRITICAL_MS ? "critical" : "warning";
  const detail = `connected, but without a trade for ${seconds(quietMs)}`;
  return [{ ...found, code: "stream_silent", severity, detail, time: nowMs - quietMs }];
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
