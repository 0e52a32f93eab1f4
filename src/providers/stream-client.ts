import WebSocket from "ws";
import type { Instrument } from "../core/market/instrument.js";
import { messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { ProviderError } from "./define.js";
import type { StreamProtocol, StreamTrade } from "./stream-define.js";
import { openSince } from "./stream-hours.js";

export interface Trade extends StreamTrade {
  readonly instrument: Instrument;
  readonly source: string;
}

export interface StreamHealth {
  readonly name: string;
  /** Whether it is meant to be connected. */
  readonly running: boolean;
  readonly connected: boolean;
  /** Since when it has been as it is, epoch ms. */
  readonly since: number;
  /** When anything was last heard; null before the first frame. */
  readonly lastHeardAt: number | null;
  readonly lastTradeAt: number | null;
  /** Since when no trade has been heard over connections that were given up for that; null where none was. */
  readonly unheardSince: number | null;
  /** What is subscribed to, once it is connected. */
  readonly followed: readonly Instrument[];
  /** How often it came back after the connection was lost. */
  readonly reconnects: number;
  readonly lastError: string | null;
}

export interface StreamClient {
  /** Connects, and goes on trying until stopped. */
  start(): void;
  stop(): void;
  /** Adds instruments; those that the vendor has no stream of are left out. */
  follow(instruments: readonly Instrument[]): void;
  health(): StreamHealth;
}

export interface StreamClientOptions {
  readonly protocol: StreamProtocol;
  readonly now: () => number;
  /** Dice of the jitter, 0..1. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  onTrade(trade: Trade): void;
  /** Trades between these moments were not heard: to be asked for over REST. */
  onGap(instruments: readonly Instrument[], fromMs: number, toMs: number): void;
  readonly timing?: Partial<StreamTiming>;
}

export interface StreamTiming {
  /** Silence after which the other side is asked whether it is there. */
  readonly quietMs: number;
  /** Silence after which the connection counts as dead, whatever the system says of it. */
  readonly deadMs: number;
  /** Time without a trade, while an exchange of what is followed is open, after which a connection is of no use. */
  readonly muteMs: number;
  readonly connectMs: number;
  /** Wait before the first new attempt; each further one doubles it, up to the most. */
  readonly firstWaitMs: number;
  readonly mostWaitMs: number;
  /** Wait after a refusal of the key. */
  readonly refusedWaitMs: number;
}

const TIMING: StreamTiming = {
  quietMs: 15_000,
  deadMs: 30_000,
  muteMs: 600_000,
  connectMs: 10_000,
  firstWaitMs: 1_000,
  mostWaitMs: 60_000,
  refusedWaitMs: 300_000,
};
const FRAME_LIMIT_BYTES = 4 * 1024 * 1024;
/** A connection that stood so long starts the waits anew. */
const STEADY_MS = 60_000;

/** Keeps one connection to a vendor's stream of trades. */
export function createStreamClient(options: StreamClientOptions): StreamClient {
  return new Client(options);
}

class Client implements StreamClient {
  readonly #options: StreamClientOptions;
  readonly #timing: StreamTiming;
  readonly #followed = new Map<string, Instrument>();
  #socket: WebSocket | null = null;
  #running = false;
  #ready = false;
  #since: number;
  #lastHeardAt: number | null = null;
  #lastTradeAt: number | null = null;
  #openedAt = 0;
  #unheardSince: number | null = null;
  #lostAt: number | null = null;
  #connects = 0;
  #attempts = 0;
  #lastError: string | null = null;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #opening: AbortController | null = null;

  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#since = options.now();
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#connect();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#opening?.abort();
    this.#socket?.terminate();
    this.#socket = null;
    this.#setReady(false);
  }

  follow(instruments: readonly Instrument[]): void {
    const { protocol } = this.#options;
    const added: string[] = [];
    for (const instrument of instruments) {
      const name = protocol.nameOf(instrument);
      if (name === null || this.#followed.has(name)) continue;
      this.#followed.set(name, instrument);
      added.push(name);
    }
    if (this.#ready) this.#subscribe(added);
  }

  health(): StreamHealth {
    return {
      name: this.#options.protocol.name,
      running: this.#running,
      connected: this.#ready,
      since: this.#since,
      lastHeardAt: this.#lastHeardAt,
      lastTradeAt: this.#lastTradeAt,
      unheardSince: this.#unheardSince,
      followed: [...this.#followed.values()],
      reconnects: Math.max(0, this.#connects - 1),
      lastError: this.#lastError,
    };
  }

  async #connect(): Promise<void> {
    const { protocol } = this.#options;
    const opening = new AbortController();
    this.#opening = opening;
    try {
      const address = await protocol.address(opening.signal);
      if (!this.#running || opening.signal.aborted) return;
      const socket = new WebSocket(address, {
        handshakeTimeout: this.#timing.connectMs,
        maxPayload: FRAME_LIMIT_BYTES,
        followRedirects: false,
        perMessageDeflate: false,
      });
      this.#socket = socket;
      this.#listen(socket);
    } catch (error) {
      this.#fail(error);
    }
  }

  #listen(socket: WebSocket): void {
    const { protocol } = this.#options;
    const current = () => this.#socket === socket;
    socket.on("open", () => {
      if (!current()) return;
      this.#hear();
      this.#openedAt = this.#options.now();
      this.#watch = setInterval(() => this.#lookAfter(socket), Math.min(1_000, this.#timing.quietMs));
      for (const frame of protocol.greeting) socket.send(frame);
      if (protocol.readyAtOnce) this.#begin();
    });
    socket.on("message", (data, isBinary) => {
      if (current()) this.#take(isBinary ? toBytes(data) : toBytes(data).toString("utf8"));
    });
    for (const event of ["ping", "pong"] as const) socket.on(event, () => current() && this.#hear());
    socket.on("error", (error) => current() && this.#fail(error));
    socket.on("close", (code) => current() && this.#fail(new Error(`closed by the vendor with ${code}`)));
  }

  #hear(): void {
    this.#lastHeardAt = this.#options.now();
  }

  /** Dead connections stay open for hours on the side that only listens: silence is what tells. */
  #lookAfter(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    const silentMs = this.#options.now() - (this.#lastHeardAt ?? 0);
    if (silentMs >= this.#timing.deadMs) this.#fail(new Error(`nothing heard for ${silentMs} ms`));
    else if (!this.#giveUpMute() && silentMs >= this.#timing.quietMs && socket.readyState === WebSocket.OPEN)
      socket.ping();
  }

  /** A vendor may lose what was subscribed to and go on answering pings: only trades tell, while there must be some. */
  #giveUpMute(): boolean {
    const nowMs = this.#options.now();
    const heardAt = Math.max(this.#openedAt, this.#lastTradeAt ?? 0);
    if (nowMs - heardAt < this.#timing.muteMs) return false;
    const open = openSince([...this.#followed.values()], nowMs);
    const since = Math.max(heardAt, open ?? nowMs);
    if (nowMs - since < this.#timing.muteMs) return false;
    this.#unheardSince ??= since;
    this.#fail(new Error(`no trade heard for ${nowMs - since} ms while an exchange is open`), since);
    return true;
  }

  #take(frame: string | Uint8Array): void {
    const { protocol, metrics, now, onTrade } = this.#options;
    this.#hear();
    try {
      const { trades, ready, rejected } = protocol.read(frame);
      if (rejected > 0) metrics.streamFrames.inc({ stream: protocol.name, outcome: "rejected" }, rejected);
      metrics.streamFrames.inc({ stream: protocol.name, outcome: "read" });
      if (ready && !this.#ready) this.#begin();
      for (const trade of trades) {
        const instrument = this.#followed.get(trade.name);
        if (instrument === undefined) continue;
        this.#lastTradeAt = now();
        this.#unheardSince = null;
        onTrade({ ...trade, instrument, source: protocol.name });
      }
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      metrics.streamFrames.inc({ stream: protocol.name, outcome: error.failure });
      this.#lastError = error.message;
      // A frame that cannot be read, or a symbol that is not known, is no reason to hang up.
      if (error.failure !== "bad_payload" && error.failure !== "unknown_symbol") this.#fail(error);
    }
  }

  /** Subscriptions are heard from now on. */
  #begin(): void {
    const { onGap, now } = this.#options;
    this.#connects++;
    this.#setReady(true);
    this.#subscribe([...this.#followed.keys()]);
    if (this.#lostAt !== null && this.#followed.size > 0) {
      onGap([...this.#followed.values()], this.#lostAt, now());
    }
    this.#lostAt = null;
  }

  #subscribe(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const frame of this.#options.protocol.subscription(names)) this.#socket?.send(frame);
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready) return;
    const { metrics, protocol, now } = this.#options;
    this.#ready = ready;
    this.#since = now();
    metrics.streamUp.set({ stream: protocol.name }, ready ? 1 : 0);
  }

  /** Lets go of the connection and waits for the next attempt. @param lostAt since when nothing was heard of trades. */
  #fail(error: unknown, lostAt = this.#lastHeardAt): void {
    const { log, now, protocol, random } = this.#options;
    const stood = this.#ready ? now() - this.#since : 0;
    if (this.#ready) this.#lostAt = lostAt ?? now();
    clearInterval(this.#watch);
    this.#socket?.terminate();
    this.#socket = null;
    this.#setReady(false);
    if (!this.#running) return;
    this.#lastError = error instanceof ProviderError ? error.message : reasonOf(error);
    if (stood >= STEADY_MS) this.#attempts = 0;
    const refused = error instanceof ProviderError && error.failure === "unauthorized";
    const doubled = Math.min(this.#timing.mostWaitMs, this.#timing.firstWaitMs * 2 ** this.#attempts++);
    const waitMs = refused ? this.#timing.refusedWaitMs : doubled * (0.5 + random() / 2);
    log.warn({ stream: protocol.name, reason: this.#lastError, waitMs: Math.round(waitMs) }, "stream lost");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), waitMs);
  }
}

function toBytes(data: WebSocket.RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Without the address, which may hold a key. */
function reasonOf(error: unknown): string {
  return messageOf(error)
    .replace(/wss?:\/\/\S+/g, "the stream")
    .slice(0, 200);
}
