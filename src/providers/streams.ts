import { ensure } from "../core/base/assert.js";
import type { Config } from "../platform/config.js";
import type { HttpClient } from "../platform/http-client.js";
import type { StreamProtocol } from "./stream-define.js";
import { finnhubStream } from "./stream-finnhub.js";
import { polygonStream } from "./stream-polygon.js";
import { upstoxStream } from "./stream-upstox.js";
import { createKeyTable } from "./upstox-keys.js";

/** The configured streams of trades. */
export function createStreams(config: Config, http: HttpClient, now: () => number): StreamProtocol[] {
  return (config.STREAM_SOURCES ?? []).flatMap((name): StreamProtocol[] => {
    if (name === "finnhub") {
      const key = ensure(config.FINNHUB_API_KEY, "FINNHUB_API_KEY");
      return [finnhubStream({ baseUrl: config.FINNHUB_STREAM_URL, key })];
    }
    if (name === "polygon") {
      const key = ensure(config.POLYGON_API_KEY, "POLYGON_API_KEY");
      const common = { baseUrl: config.POLYGON_STREAM_URL, key };
      return [
        polygonStream({ ...common, cluster: "stocks" }),
        polygonStream({ ...common, cluster: "crypto" }),
      ];
    }
    const { keyOf } = createKeyTable(config.UPSTOX_INSTRUMENT_KEYS ?? {});
    const token = ensure(config.UPSTOX_ACCESS_TOKEN, "UPSTOX_ACCESS_TOKEN");
    return [upstoxStream({ baseUrl: config.UPSTOX_BASE_URL, token, http, now, nameOf: keyOf })];
  });
}
