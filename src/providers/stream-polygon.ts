import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import { addressAt } from "./address.js";
import { jsonText, payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { type StreamProtocol, type StreamTrade, soundTrades } from "./stream-define.js";

/** Polygon's stream of trades, one cluster for each class of instruments: authenticated by a frame, then subscribed. */

const eventSchema = z.looseObject({ ev: z.string() });
const statusSchema = z.object({ status: z.string(), message: z.string().optional() });
/** Trades of shares (T) and of coins (XT). */
const tradeSchema = z.object({
  sym: z.string().optional(),
  pair: z.string().optional(),
  p: z.number(),
  s: z.number().nullish(),
  t: z.number(),
});

export type PolygonCluster = "stocks" | "crypto";

export function polygonStream({
  baseUrl,
  key,
  cluster,
}: {
  baseUrl: string;
  key: string;
  cluster: PolygonCluster;
}): StreamProtocol {
  const kind = cluster === "stocks" ? "T" : "XT";
  return {
    name: `polygon-${cluster}`,
    address: async () => addressAt(baseUrl, `/${cluster}`).href,
    greeting: [JSON.stringify({ action: "auth", params: key })],
    readyAtOnce: false,
    nameOf: ({ symbol, assetClass, currency }: Instrument) => {
      if (cluster === "crypto") return assetClass === "crypto" ? symbol : null;
      const listed = (assetClass === "equity" || assetClass === "etf") && currency === "USD";
      return listed && /^[A-Z]{1,5}(\.[A-Z])?$/.test(symbol) ? symbol : null;
    },
    subscription: (names) => [
      JSON.stringify({ action: "subscribe", params: names.map((name) => `${kind}.${name}`).join(",") }),
    ],
    read(frame) {
      const events = payloadOf(z.array(eventSchema), jsonText(frame), "list of events");
      const trades: StreamTrade[] = [];
      let ready = false;
      for (const event of events) {
        if (event.ev === "status") ready = readStatus(event, key) || ready;
        else if (event.ev === kind) {
          const { sym, pair, p, s, t } = payloadOf(tradeSchema, event, "trade");
          trades.push({ name: sym ?? pair ?? "", price: p, size: s ?? null, time: t });
        }
      }
      return { ...soundTrades(trades), ready };
    },
  };
}

/** True when the key was taken. @throws {ProviderError} when it was not, or there are too many connections. */
function readStatus(event: unknown, key: string): boolean {
  const { status, message = status } = payloadOf(statusSchema, event, "status");
  const text = message.replaceAll(key, "***").slice(0, 200);
  if (status === "auth_failed" || status === "not_authorized") throw new ProviderError("unauthorized", text);
  if (status === "max_connections") throw new ProviderError("rate_limited", text);
  if (status === "error") throw new ProviderError("refused", text);
  return status === "auth_success";
}
