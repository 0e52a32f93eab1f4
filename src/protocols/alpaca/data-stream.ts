import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import { CHANNELS, type Channel, type Listener, type Told } from "./audience.js";
import type { Connection, Dialogue } from "./connection.js";
import type { Feed } from "./feed.js";
import { type Identify, identifyKey, isRecord, keyOfFrame } from "./login.js";
import type { Market } from "./symbols.js";

/** Errors of the stream by their codes. */
const ERRORS = {
  400: "invalid syntax",
  401: "not authenticated",
  402: "auth failed",
  403: "already authenticated",
  404: "auth timeout",
  405: "symbol limit exceeded",
  406: "connection limit exceeded",
  407: "slow client",
  409: "insufficient subscription",
  500: "internal error",
} as const;

/** The letter of each channel's messages. */
const LETTERS: Readonly<Record<Channel, string>> = {
  trades: "t",
  quotes: "q",
  bars: "b",
  updatedBars: "u",
  dailyBars: "d",
};
/** Channels of which no source here tells anything. */
const SILENT = [
  "statuses",
  "lulds",
  "corrections",
  "cancelErrors",
  "imbalances",
  "orderbooks",
  "news",
] as const;
/** As told of a subscription to shares. */
const SILENT_OF_SHARES = ["statuses", "lulds", "corrections", "cancelErrors"] as const;
const SYMBOLS_LIMIT = 30;
const BAD_FRAMES_LIMIT = 20;

export interface DataStreamOptions {
  readonly feed: Feed;
  readonly identify: Identify;
  readonly loginMs: number;
  /** True when what is told comes from the synthetic market. */
  readonly synthetic: boolean;
}

/** Opens the dialogue of a stream of prices over a connection. */
export type OpenDataStream = (connection: Connection, market: Market) => Dialogue;

/** @returns opens dialogues, of which a user may have one a market at a time. */
export function createDataStreams(options: DataStreamOptions): OpenDataStream {
  const taken = new Set<string>();
  return (connection, market) => openDataStream(options, taken, connection, market);
}

function openDataStream(
  { feed, identify, loginMs, synthetic }: DataStreamOptions,
  taken: Set<string>,
  connection: Connection,
  market: Market,
): Dialogue {
  const wants: Record<Channel, Set<string>> = {
    trades: new Set(),
    quotes: new Set(),
    bars: new Set(),
    updatedBars: new Set(),
    dailyBars: new Set(),
  };
  const label = synthetic ? { synthetic } : {};
  const tell = ({ symbol, channel, fields, time }: Told) =>
    connection.send([{ T: LETTERS[channel], S: symbol, ...fields, t: new Date(time), ...label }]);
  const listener: Listener = { market, wants, tell };
  const fail = (code: keyof typeof ERRORS) => connection.send([{ T: "error", code, msg: ERRORS[code] }]);
  let place: string | null = null;
  let badFrames = 0;

  function refuse(code: keyof typeof ERRORS): void {
    fail(code);
    if (++badFrames > BAD_FRAMES_LIMIT) connection.close("too many bad frames");
  }

  function end(code: keyof typeof ERRORS): void {
    fail(code);
    connection.close(ERRORS[code]);
  }

  function admit(principal: Principal): void {
    const wanted = `${market} ${principal.userId}`;
    if (taken.has(wanted)) {
      end(406);
      return;
    }
    clearTimeout(timer);
    taken.add(wanted);
    place = wanted;
    connection.principal = principal;
    connection.send([{ T: "success", msg: "authenticated" }]);
  }

  async function login(frame: Readonly<Record<string, unknown>>): Promise<void> {
    if (place !== null) refuse(403);
    else {
      const principal = await identifyKey(identify, connection.ip, keyOfFrame(frame)).catch(nobody);
      if (principal === null) end(402);
      else admit(principal);
    }
  }

  function change(frame: Readonly<Record<string, unknown>>, adds: boolean): void {
    const asked = symbolsOf(frame);
    if (asked === null) refuse(400);
    else if (adds && SILENT.some((channel) => asked.silent.has(channel))) refuse(409);
    else if (adds && distinct(wants, asked.wanted) > SYMBOLS_LIMIT) refuse(405);
    else {
      for (const channel of CHANNELS) {
        for (const symbol of asked.wanted[channel]) {
          if (adds) wants[channel].add(symbol);
          else wants[channel].delete(symbol);
        }
      }
      feed.update(listener);
      connection.send([subscriptionOf(wants, market)]);
    }
  }

  connection.send([{ T: "success", msg: "connected" }]);
  const timer = setTimeout(() => end(404), loginMs);
  timer.unref();
  if (connection.principal !== null) admit(connection.principal);

  return {
    async hear(frame) {
      if (!isRecord(frame)) refuse(400);
      else if (frame.action === "auth" || frame.action === "authenticate") await login(frame);
      else if (place === null) refuse(401);
      else if (frame.action === "subscribe") change(frame, true);
      else if (frame.action === "unsubscribe") change(frame, false);
      else refuse(400);
    },
    slow: () => fail(407),
    end() {
      clearTimeout(timer);
      feed.remove(listener);
      if (place !== null) taken.delete(place);
    },
  };
}

/** Too many wrong keys from an address are as good as one. */
function nobody(error: unknown): null {
  if (error instanceof AppError) return null;
  throw error;
}

const SYMBOL = /^[A-Z0-9.^=_/-]{1,40}$/;

/** Symbols by channel, and channels without a source that are asked for; null for what is no list of symbols. */
function symbolsOf(frame: Readonly<Record<string, unknown>>) {
  const silent = new Set<string>(
    SILENT.filter((name) => Array.isArray(frame[name]) && frame[name].length > 0),
  );
  const wanted: Record<Channel, readonly string[]> = {
    trades: [],
    quotes: [],
    bars: [],
    updatedBars: [],
    dailyBars: [],
  };
  for (const channel of CHANNELS) {
    const given = frame[channel] ?? [];
    if (!Array.isArray(given)) return null;
    const symbols = given.filter((each): each is string => typeof each === "string");
    if (symbols.length < given.length) return null;
    if (symbols.some((symbol) => symbol !== "*" && !SYMBOL.test(symbol))) return null;
    wanted[channel] = symbols;
  }
  return { wanted, silent };
}

/** How many symbols there would be, each counted once. */
function distinct(
  now: Readonly<Record<Channel, ReadonlySet<string>>>,
  more: Readonly<Record<Channel, readonly string[]>>,
): number {
  return new Set(CHANNELS.flatMap((channel) => [...now[channel], ...more[channel]])).size;
}

/** All that is subscribed to. */
function subscriptionOf(wants: Readonly<Record<Channel, ReadonlySet<string>>>, market: Market) {
  const silent = market === "crypto" ? ["orderbooks"] : SILENT_OF_SHARES;
  return {
    T: "subscription",
    ...Object.fromEntries(CHANNELS.map((channel) => [channel, [...wants[channel]]])),
    ...Object.fromEntries(silent.map((channel) => [channel, []])),
  };
}
