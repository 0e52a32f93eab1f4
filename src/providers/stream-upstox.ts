import { Reader } from "protobufjs/minimal.js";
import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpClient } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { fetchAnswer, jsonOf, payloadOf, requireWell } from "./answer.js";
import { ProviderError } from "./define.js";
import { NO_TRADES, type StreamProtocol, type StreamTrade, soundTrades } from "./stream-define.js";

/**
 * Upstox' market data feed, third version: a call gives an address for one connection, requests are JSON in binary
 * frames, answers protocol buffers. Field numbers are those of the vendor's MarketDataFeedV3.proto.
 */

const addressSchema = z.object({ data: z.object({ authorized_redirect_uri: z.string() }) });

export function upstoxStream({
  baseUrl,
  token,
  http,
  now,
  nameOf,
}: {
  baseUrl: string;
  token: string;
  http: HttpClient;
  now: () => number;
  /** The vendor's instrument key. */
  nameOf: (instrument: Instrument) => string | null;
}): StreamProtocol {
  return {
    name: "upstox",
    async address(signal) {
      const url = addressAt(baseUrl, "/v3/feed/market-data-feed/authorize").href;
      const answer = await fetchAnswer(http, { url, headers: { authorization: `Bearer ${token}` } }, signal);
      requireWell(answer, now());
      const { data } = payloadOf(addressSchema, jsonOf(answer), "feed address");
      const { authorized_redirect_uri: address } = data;
      if (!URL.canParse(address) || !/^wss?:$/.test(new URL(address).protocol)) {
        throw new ProviderError("bad_payload", "the feed has no WebSocket address");
      }
      return address;
    },
    greeting: [],
    readyAtOnce: true,
    nameOf,
    subscription: (names) => [
      Buffer.from(
        JSON.stringify({ guid: "tx", method: "sub", data: { mode: "ltpc", instrumentKeys: names } }),
      ),
    ],
    read(frame) {
      if (typeof frame === "string") throw new ProviderError("bad_payload", "a text frame among binary ones");
      try {
        return readResponse(frame);
      } catch (error) {
        if (error instanceof ProviderError) throw error;
        throw new ProviderError("bad_payload", "a frame that is no FeedResponse", { cause: error });
      }
    },
  };
}

type Visit = (field: number, reader: Reader) => boolean;

/** Hands each field of a message to `visit`, and skips those it does not take. */
function readMessage(reader: Reader, length: number, visit: Visit): void {
  const end = reader.pos + length;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!visit(tag >>> 3, reader)) reader.skipType(tag & 7);
  }
}

function readResponse(frame: Uint8Array) {
  const reader = Reader.create(frame);
  const trades: StreamTrade[] = [];
  let kind = 0;
  readMessage(reader, reader.len, (field) => {
    if (field === 1) kind = reader.uint32();
    else if (field === 2) {
      const trade = readEntry(reader);
      if (trade !== null) trades.push(trade);
    } else return false;
    return true;
  });
  // The third kind tells the state of the exchanges' segments.
  return kind === 2 ? NO_TRADES : soundTrades(trades);
}

/** An entry of the map of feeds: the key, and the feed of the instrument. */
function readEntry(reader: Reader): StreamTrade | null {
  let name = "";
  let last: Omit<StreamTrade, "name"> | null = null;
  readMessage(reader, reader.uint32(), (field) => {
    if (field === 1) name = reader.string();
    else if (field === 2) last = readFeed(reader, 0) ?? last;
    else return false;
    return true;
  });
  return last === null ? null : { name, ...(last as Omit<StreamTrade, "name">) };
}

/**
 * The last trade of a feed. In a Feed, 1 is the trade and 2 a full feed, in which 1 is that of a share and 2 that of an
 * index; in both of these, 1 is the trade; so is it in 3, the first level of the book.
 */
function readFeed(reader: Reader, depth: number): Omit<StreamTrade, "name"> | null {
  let found: Omit<StreamTrade, "name"> | null = null;
  readMessage(reader, reader.uint32(), (field) => {
    const trade = depth === 0 || depth === 2 ? field === 1 : false;
    const inner = depth === 0 ? field === 2 || field === 3 : depth === 1 && (field === 1 || field === 2);
    if (trade) found = readTrade(reader);
    else if (inner) found = readFeed(reader, depth === 0 && field === 3 ? 2 : depth + 1) ?? found;
    else return false;
    return true;
  });
  return found;
}

/** LTPC: price, time and size of the last trade; 4, the close before, is not taken. */
function readTrade(reader: Reader): Omit<StreamTrade, "name"> {
  let price = Number.NaN;
  let time = Number.NaN;
  let size: number | null = null;
  readMessage(reader, reader.uint32(), (field) => {
    if (field === 1) price = reader.double();
    else if (field === 2) time = Number(reader.int64());
    else if (field === 3) size = Number(reader.int64());
    else return false;
    return true;
  });
  return { price, time, size };
}
