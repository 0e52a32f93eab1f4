import { z } from "zod";
import { jsonText, payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { finnhubSymbol } from "./finnhub-symbols.js";
import { NO_TRADES, type StreamProtocol, soundTrades } from "./stream-define.js";

/** Finnhub's stream of trades: the key stands in the address, subscriptions are heard at once. */

const frameSchema = z.union([
  z.object({
    type: z.literal("trade"),
    data: z.array(z.object({ s: z.string(), p: z.number(), t: z.number(), v: z.number().nullish() })),
  }),
  z.object({ type: z.literal("ping") }),
  z.object({ type: z.literal("error"), msg: z.string() }),
]);

export function finnhubStream({ baseUrl, key }: { baseUrl: string; key: string }): StreamProtocol {
  return {
    name: "finnhub",
    async address() {
      const url = new URL(baseUrl);
      url.searchParams.set("token", key);
      return url.href;
    },
    greeting: [],
    readyAtOnce: true,
    nameOf: finnhubSymbol,
    subscription: (names) => names.map((symbol) => JSON.stringify({ type: "subscribe", symbol })),
    read(frame) {
      const payload = payloadOf(frameSchema, jsonText(frame), "frame");
      if (payload.type === "error") {
        const failure = /invalid symbol/i.test(payload.msg) ? "unknown_symbol" : "refused";
        throw new ProviderError(failure, payload.msg.replaceAll(key, "***").slice(0, 200));
      }
      if (payload.type === "ping") return NO_TRADES;
      return soundTrades(
        payload.data.map(({ s, p, t, v }) => ({ name: s, price: p, size: v ?? null, time: t })),
      );
    },
  };
}
