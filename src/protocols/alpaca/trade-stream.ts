import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { Connection, Dialogue } from "./connection.js";
import { type Identify, identifyKey, isRecord, keyOfFrame } from "./login.js";

/** What became of an order, as the dialect tells it: `event`, `order` and, of fills, what was filled. */
export interface TradeUpdate {
  readonly event: string;
  readonly order: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Where changes of orders come from. */
export interface TradeUpdates {
  /** Tells of the orders of a user's account from when it resolves on. @returns the function that ends it. */
  subscribe(principal: Principal, listener: (update: TradeUpdate) => void): Promise<() => void>;
}

export interface TradeStreamOptions {
  readonly updates: TradeUpdates;
  readonly identify: Identify;
  readonly loginMs: number;
}

const STREAM = "trade_updates";
const BAD_FRAMES_LIMIT = 20;

/** Opens the dialogue of the stream of orders over a connection. */
export function openTradeStream(options: TradeStreamOptions, connection: Connection): Dialogue {
  const { updates, identify, loginMs } = options;
  let unsubscribe: (() => void) | null = null;
  let ended = false;
  let badFrames = 0;

  const answer = (stream: string, data: object) => connection.send({ stream, data });
  const authorization = (status: "authorized" | "unauthorized", action: string) =>
    answer("authorization", { status, action });

  function refuse(message: string): void {
    connection.send({ action: "error", data: { error_message: message } });
    if (++badFrames > BAD_FRAMES_LIMIT) connection.close("too many bad frames");
  }

  async function login(frame: Readonly<Record<string, unknown>>): Promise<void> {
    const known = connection.principal ?? (await identifyFrame(identify, connection.ip, frame));
    if (known === null) {
      authorization("unauthorized", "authenticate");
      connection.close("auth failed");
      return;
    }
    clearTimeout(timer);
    connection.principal = known;
    authorization("authorized", "authenticate");
  }

  /** Null where the account cannot be read. */
  async function follow(principal: Principal): Promise<(() => void) | null> {
    try {
      return await updates.subscribe(principal, (update) => answer(STREAM, update));
    } catch (error) {
      if (error instanceof AppError) return null;
      throw error;
    }
  }

  /** Listening to something replaces what was listened to before. */
  async function listen({ data }: Readonly<Record<string, unknown>>): Promise<void> {
    const { principal } = connection;
    const streams = isRecord(data) ? data.streams : null;
    if (principal === null) authorization("unauthorized", "listen");
    else if (!Array.isArray(streams) || !streams.every((name) => typeof name === "string"))
      refuse("streams: must be a list of names");
    else {
      unsubscribe?.();
      unsubscribe = null;
      const wanted = streams.includes(STREAM);
      // Whoever reads that it listens may place an order at once.
      if (wanted) unsubscribe = await follow(principal);
      if (ended) unsubscribe?.();
      else if (wanted && unsubscribe === null) refuse("orders cannot be followed now");
      else answer("listening", { streams: wanted ? [STREAM] : [] });
    }
  }

  const timer = setTimeout(() => connection.close("auth timeout"), loginMs);
  timer.unref();
  if (connection.principal !== null) clearTimeout(timer);

  return {
    async hear(frame) {
      if (!isRecord(frame)) refuse("the frame cannot be read");
      else if (frame.action === "auth" || frame.action === "authenticate") await login(frame);
      else if (frame.action === "listen") await listen(frame);
      else refuse("unknown action");
    },
    slow: () => refuse("slow client"),
    end() {
      ended = true;
      clearTimeout(timer);
      unsubscribe?.();
    },
  };
}

async function identifyFrame(
  identify: Identify,
  ip: string,
  frame: Readonly<Record<string, unknown>>,
): Promise<Principal | null> {
  try {
    return await identifyKey(identify, ip, keyOfFrame(frame));
  } catch (error) {
    // Too many wrong keys from an address are as good as one.
    if (error instanceof AppError) return null;
    throw error;
  }
}
