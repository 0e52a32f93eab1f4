import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { openEventSource } from "../fixtures/event-source.js";

/** An event as every stream tells it. */
interface Told {
  readonly type: string;
  readonly topic: string;
  readonly seq: number;
  readonly previous_seq: number;
  readonly data: { readonly n: number };
}

/** What one reader was told, over as many connections as it took. */
export interface Reader {
  readonly name: string;
  /** Numbers by topic, in the order in which they came. */
  readonly numbers: Readonly<Record<string, number[]>>;
  /** Events that did not follow on the one before on their topic, and those that came again. */
  gaps: number;
  doubles: number;
  connections: number;
  /** Connects no more. */
  stop(): void;
}

type Connect = (
  url: string,
  told: (event: Told) => void,
  at: Readonly<Record<string, number>>,
) => Promise<void>;

/**
 * Reads topics for as long as it is not stopped: when a connection ends, the next one goes to the next address, from the
 * cursor that it had.
 * @param urls in turns. @param topics from their first event on.
 */
export function startReader(
  name: string,
  connect: Connect,
  urls: readonly string[],
  topics: readonly string[],
): Reader {
  const at: Record<string, number> = Object.fromEntries(topics.map((topic) => [topic, 0]));
  const numbers: Record<string, number[]> = Object.fromEntries(topics.map((topic) => [topic, []]));
  let running = true;
  const stop = () => {
    running = false;
  };
  const reader: Reader = {
    name,
    numbers,
    gaps: 0,
    doubles: 0,
    connections: 0,
    stop,
  };
  function take({ topic, seq, previous_seq, data }: Told): void {
    // Whoever has one cursor over all topics is told what came before by that.
    const seen = connect === byEvents ? Math.max(...Object.values(at)) : at[topic];
    if (seq <= at[topic]) reader.doubles++;
    else if (previous_seq > seen) reader.gaps++;
    at[topic] = seq;
    numbers[topic].push(data.n);
  }
  const go = async () => {
    while (running) {
      const url = urls[reader.connections++ % urls.length];
      await connect(url, take, at);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  void go();
  return reader;
}

/** One connection over /ws, until it ends. */
export const bySocket: Connect = (url, told, at) =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws`);
    socket.on("open", () =>
      socket.send(JSON.stringify({ type: "subscribe", topics: Object.keys(at), since: at })),
    );
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Told;
      if (frame.type === "event") told(frame);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });

/** One connection over /api/events, by its one cursor, until it ends. */
export const byEvents: Connect = async (url, told, at) => {
  const topics = Object.keys(at).join(",");
  // The newest number of all is what a browser would send back.
  const cursor = Math.max(...Object.values(at));
  try {
    const source = await openEventSource(
      url,
      `/api/events?topics=${topics}`,
      { "last-event-id": String(cursor) },
      (event) => {
        const frame = event.data as Told;
        if (frame.type === "event") told(frame);
      },
    );
    await source.ended;
  } catch {
    // Cut before its first byte.
  }
};

/** One connection by Socket.IO, until it ends. */
export const bySocketIo: Connect = (url, told, at) =>
  new Promise((resolve) => {
    const auth = { topics: Object.keys(at), since: { ...at } };
    const socket = io(url, { transports: ["websocket"], reconnection: false, forceNew: true, auth });
    socket.on("event", told);
    const end = () => {
      socket.disconnect();
      resolve();
    };
    socket.on("disconnect", end);
    socket.on("connect_error", end);
  });
