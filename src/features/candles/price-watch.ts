import type { Quote } from "../../core/market/quote.js";
import type { Judgement } from "../../providers/gateway.js";
import type { Trade } from "../../providers/stream-client.js";
import type { KnownInstrument } from "../instruments/store.js";

/** Looks at prices before they are shown, and keeps what it finds. */
export interface PriceWatch {
  /** Of a quote that a source gave, or that was made of its candles: then its age is no matter. */
  judge(
    instrument: KnownInstrument,
    quote: Quote,
    origin: { readonly source: string; readonly fromCandles: boolean },
  ): Promise<Judgement>;
  /** Whether a streamed trade may stand as a price. Asks nobody and does not wait. */
  admits(trade: Trade): boolean;
}
