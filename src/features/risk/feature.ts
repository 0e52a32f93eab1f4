import type { AccountFacts } from "../../core/risk/limits.js";
import type { Database } from "../../platform/database.js";
import { createSettings } from "../../platform/settings.js";
import type { CandleService } from "../candles/candles.js";
import type { Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import { createConfirmations } from "./confirmation.js";
import { createRisk, type HistoryOf, type Risk } from "./risk.js";
import { createRiskSettings } from "./settings.js";
import { createRedemptionStore } from "./store.js";

/** Wires the risk desk. @param parts.secret signs confirmations. */
export function createRiskDesk(parts: {
  database: Database;
  candles: CandleService;
  quotes: Quotes;
  instruments: Instruments;
  secret: Uint8Array;
  requireConfirmation: boolean;
  historyOf: HistoryOf;
  accountOf: (userId: string, symbol: string) => Promise<AccountFacts | null>;
  now: () => number;
}): Risk {
  const { database, secret, now } = parts;
  return createRisk({
    ...parts,
    settings: createRiskSettings(createSettings(database), {
      require_confirmation: parts.requireConfirmation,
    }),
    confirmations: createConfirmations(secret, now),
    redemptions: createRedemptionStore(database, now),
  });
}
