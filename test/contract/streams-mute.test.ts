import { describe, expect, it } from "vitest";
import { finnhubStream } from "../../src/providers/stream-finnhub.js";
import { polygonStream } from "../../src/providers/stream-polygon.js";
import { AAPL, BTC, finnhubTrade, KEY, QUICK, until, useStreamVendor } from "../fixtures/stream-vendor.js";

const stand = useStreamVendor();

const finnhub = () => finnhubStream({ baseUrl: stand.vendor.url, key: KEY });

describe("a stream that answers pings and says no more", () => {
  const MUTE = { ...QUICK, muteMs: 150 };
  /** A clock that starts at a moment and goes on as time does. */
  const from = (moment: string) => {
    const start = Date.now();
    return () => Date.parse(moment) + Date.now() - start;
  };
  const PINGS = 4;
  async function pinged(): Promise<void> {
    let pings = 0;
    stand.vendor.sockets[0].on("ping", () => pings++);
    await until(() => pings >= PINGS, "pings");
  }

  it("is opened anew while an exchange is open, and what was not heard since the last trade asked for", async () => {
    const now = from("2024-07-09T15:00Z");
    const { client, trades, gaps, lines } = stand.follow(finnhub(), MUTE, now);
    client.follow([AAPL]);
    client.start();
    await until(() => client.health().connected, "connection");
    stand.vendor.sockets[0].send(finnhubTrade(190));
    await until(() => trades.length === 1, "trade");
    const heardAt = client.health().lastTradeAt;
    await until(() => gaps.length === 1, "gap");
    expect(gaps[0]).toMatchObject({ symbols: ["AAPL"], fromMs: heardAt });
    expect(gaps[0].toMs - gaps[0].fromMs).toBeGreaterThanOrEqual(MUTE.muteMs);
    await until(() => stand.vendor.heard.length === 2, "second subscription");
    expect(client.health()).toMatchObject({ connected: true, reconnects: 1, unheardSince: heardAt });
    expect(client.health().lastError).toMatch(/^no trade heard for \d+ ms while an exchange is open$/);
    // Still mute: each time it is opened anew after as long, and the gaps follow each other.
    await until(() => gaps.length === 3, "further gaps");
    expect(Math.abs(gaps[1].fromMs - gaps[0].toMs)).toBeLessThan(20);
    expect(client.health().unheardSince).toBe(heardAt);
    const waits = lines().map((line) => (JSON.parse(line) as { waitMs?: number }).waitMs);
    expect(waits.slice(0, 3)).toEqual([15, 30, 60]);
    stand.vendor.sockets.at(-1)?.send(finnhubTrade(191));
    await until(() => trades.length === 2, "trade after it");
    expect(client.health().unheardSince).toBeNull();
  });

  it("is kept while all exchanges are closed, and has its time after the open", async () => {
    for (const moment of ["2024-07-09T23:00Z", "2024-07-07T15:00Z", "2024-07-04T15:00Z"]) {
      const { client } = stand.follow(finnhub(), MUTE, from(moment));
      stand.vendor.sockets.length = 0;
      client.follow([AAPL]);
      client.start();
      await until(() => client.health().connected, "connection");
      await pinged();
      expect(client.health(), moment).toMatchObject({ connected: true, reconnects: 0, unheardSince: null });
      client.stop();
    }
  });

  it("is kept while one of what it follows is heard", async () => {
    const { client } = stand.follow(finnhub(), MUTE, from("2024-07-09T15:00Z"));
    client.follow([AAPL, BTC]);
    client.start();
    await until(() => client.health().connected, "connection");
    const telling = setInterval(() => stand.vendor.sockets[0].send(finnhubTrade(190)), 30);
    await new Promise((resolve) => setTimeout(resolve, 4 * MUTE.muteMs));
    clearInterval(telling);
    expect(client.health()).toMatchObject({ connected: true, reconnects: 0 });
  });

  it("is opened anew, too, where it never says that it is ready", async () => {
    const protocol = polygonStream({ baseUrl: stand.vendor.url, key: KEY, cluster: "stocks" });
    const { client } = stand.follow(protocol, MUTE, from("2024-07-09T15:00Z"));
    client.follow([AAPL]);
    client.start();
    await until(() => stand.vendor.sockets.length >= 2, "second connection");
    expect(client.health().connected).toBe(false);
  });
});
