import { DAY_MS } from "../../core/market/day.js";
import { INTERVAL_MS, parseInterval } from "../../core/market/interval.js";
import { SCAN_TOPIC } from "../../features/alerts/topics.js";
import type { Detections } from "../../features/detections/detections.js";
import { detectionView } from "../../features/detections/views.js";
import type { Client, Clients } from "../../features/stream/clients.js";
import type { Clock } from "../../platform/clock.js";
import { messageOf } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";

/** What a scan saw in a symbol, as older clients are told of it. */
export interface SymbolScan {
  readonly symbol: string;
  readonly intraday_patterns: readonly object[];
  readonly context_patterns: readonly object[];
  readonly timestamp: string;
}

const MOST = 500;

/**
 * What the scan of a slot saw, by symbol, the newest first: bars of less than a day, and those that give them context.
 * `truncated` where there was more than is told at once.
 */
async function loadSymbolScans(
  detections: Pick<Detections, "list">,
  slotMs: number,
  nowMs: number,
): Promise<{ scans: SymbolScan[]; truncated: boolean }> {
  const { rows } = await detections.list({ from: slotMs - DAY_MS }, MOST, 0);
  const fresh = rows.filter(({ detectedAt }) => detectedAt >= slotMs);
  const bySymbol = new Map<string, { intraday_patterns: object[]; context_patterns: object[] }>();
  for (const row of fresh) {
    const found = bySymbol.get(row.symbol) ?? { intraday_patterns: [], context_patterns: [] };
    bySymbol.set(row.symbol, found);
    const interval = parseInterval(row.interval);
    const isIntraday = interval !== null && INTERVAL_MS[interval] < DAY_MS;
    (isIntraday ? found.intraday_patterns : found.context_patterns).push(detectionView(row));
  }
  const scans = [...bySymbol].map(([symbol, found]) => ({ symbol, ...found, timestamp: isoTime(nowMs) }));
  return { scans, truncated: fresh.length === MOST };
}

/** Tells those who hear scans what one saw: by symbol, then all of it, where as much is told as they leave unread. */
export function tellScan(
  clients: Pick<Clients<Client>, "size" | "publish">,
  frame: string,
  {
    detections,
    clock,
    log,
  }: { readonly detections: Pick<Detections, "list">; readonly clock: Clock; readonly log: Log },
): void {
  if (clients.size() === 0) return;
  const { data } = JSON.parse(frame) as { data: { slot?: string } };
  const slotMs = Date.parse(data.slot ?? "");
  if (Number.isNaN(slotMs)) return;
  const tell = (type: string, told: object) =>
    clients.publish(SCAN_TOPIC, JSON.stringify({ type, ...told }), null);
  loadSymbolScans(detections, slotMs, clock.now()).then(
    ({ scans, truncated }) => {
      for (const scan of scans) tell("scan_update", scan);
      const [first] = scans;
      if (first !== undefined) tell("market_scan_update", { ...first, data: scans, truncated });
    },
    (error: unknown) => log.warn({ reason: messageOf(error) }, "what a scan saw could not be told"),
  );
}
