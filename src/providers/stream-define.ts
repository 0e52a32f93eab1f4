import type { Instrument } from "../core/market/instrument.js";

/** A trade as a vendor's stream tells it, under the vendor's name of the instrument. */
export interface StreamTrade {
  readonly name: string;
  readonly price: number;
  /** Null where the stream does not say. */
  readonly size: number | null;
  /** Epoch ms. */
  readonly time: number;
}

/** What a frame says. */
export interface StreamFrame {
  readonly trades: readonly StreamTrade[];
  /** True when from now on subscriptions are heard. */
  readonly ready: boolean;
  /** Trades that were left out, for their prices or times cannot be. */
  readonly rejected: number;
}

/** How a vendor's stream of trades is spoken with; pure, but for finding the address. */
export interface StreamProtocol {
  readonly name: string;
  /** Where to connect; it may hold a key, so it is never told. @throws {ProviderError} */
  address(signal: AbortSignal): Promise<string>;
  /** Frames to send once the connection stands. */
  readonly greeting: readonly string[];
  /** True when subscriptions are heard as soon as the connection stands. */
  readonly readyAtOnce: boolean;
  /** The vendor's name of an instrument; null when it has no stream of it. */
  nameOf(instrument: Instrument): string | null;
  subscription(names: readonly string[]): readonly (string | Uint8Array)[];
  /** @throws {ProviderError} for frames that say that it will not, or that cannot be read. */
  read(frame: string | Uint8Array): StreamFrame;
}

export const NO_TRADES: StreamFrame = Object.freeze({ trades: [], ready: false, rejected: 0 });

/** Trades that can be: of a price above 0 and a time. */
export function soundTrades(trades: readonly StreamTrade[]): StreamFrame {
  const sound = trades.filter(
    ({ price, size, time }) =>
      price > 0 && Number.isFinite(price) && Number.isFinite(time) && (size === null || size >= 0),
  );
  return { trades: sound, ready: false, rejected: trades.length - sound.length };
}
