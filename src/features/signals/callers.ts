import type { z } from "zod";
import { type AccountFacts, type RiskLimits, UNKNOWN_ACCOUNT } from "../../core/risk/limits.js";
import { AppError } from "../../platform/errors.js";
import type { HeldPosition } from "./exits.js";
import type { Reading } from "./reading.js";
import { type Recommendation, recommend } from "./recommend.js";
import type { exitQuery } from "./signal-schema.js";

/** What somebody allows trades to risk. */
export interface TradeLimits {
  readonly limits: RiskLimits;
  /** Where stop and target of a position are that has none, in percent of its entry. */
  readonly stopPercent: number;
  readonly targetPercent: number;
}

/** Whose limits, account and positions signals are for. */
export interface Callers {
  readonly limitsOf: (userId: string) => Promise<TradeLimits>;
  /** The account of a user; null while there is none. */
  readonly accountOf: (userId: string, symbol: string) => Promise<AccountFacts | null>;
  /** Open positions of a user in a symbol. */
  readonly positionsOf: (userId: string, symbol: string) => Promise<readonly HeldPosition[]>;
}

/** What a caller is to do with a symbol, within the limits and the account of the caller. @param equity in place of that of the account. */
export async function adviceFor(
  { limitsOf, accountOf }: Pick<Callers, "limitsOf" | "accountOf">,
  userId: string,
  reading: Reading,
  equity?: number,
): Promise<{ advice: Recommendation; limits: RiskLimits }> {
  const [{ limits }, account] = await Promise.all([
    limitsOf(userId),
    accountOf(userId, reading.main.set.instrument.symbol),
  ]);
  const known = account ?? UNKNOWN_ACCOUNT;
  return { limits, advice: recommend(reading, limits, { ...known, equity: equity ?? known.equity }) };
}

/** The open positions of a caller; stop and target of one that has none are where the settings have them. */
export async function heldPositions(
  { limitsOf, positionsOf }: Pick<Callers, "limitsOf" | "positionsOf">,
  userId: string,
  symbol: string,
): Promise<HeldPosition[]> {
  const [held, limits] = await Promise.all([positionsOf(userId, symbol), limitsOf(userId)]);
  return held.map((position) => {
    const { direction } = position;
    const { stop, target } = exitLevels(position, limits);
    // A stop that has followed the price may lie beyond where the settings have the target.
    return { ...position, stop, target: direction * (target - stop) > 0 ? target : position.target };
  });
}

/** Stop and target of a position, where it has none by the percentages of its holder. */
function exitLevels(
  { direction, entry, stop, target }: Pick<HeldPosition, "direction" | "entry" | "stop" | "target">,
  { stopPercent, targetPercent }: TradeLimits,
): { readonly stop: number; readonly target: number } {
  return {
    stop: stop ?? entry * (1 - (direction * stopPercent) / 100),
    target: target ?? entry * (1 + (direction * targetPercent) / 100),
  };
}

type ExitQuery = z.output<typeof exitQuery>;

/** @throws {AppError} `invalid_request` where a position is described in part. */
export async function ownPositions(query: ExitQuery, load: () => Promise<readonly HeldPosition[]>) {
  for (const field of ["side", "stop_loss", "take_profit", "quantity", "opened_at"] as const) {
    if (query[field] === undefined) continue;
    throw new AppError("invalid_request", `query ${field}: describes a position together with entry_price`);
  }
  return load();
}

/** @throws {AppError} `invalid_request` for a moment that is yet to come, and a target on the side of the stop. */
export function heldPosition(
  query: ExitQuery,
  entry: number,
  limits: TradeLimits,
  nowMs: number,
): HeldPosition {
  const { side: direction = 1, stop_loss, take_profit, quantity = null, opened_at: openedAt = null } = query;
  if (openedAt !== null && openedAt > nowMs) {
    throw new AppError("invalid_request", "query opened_at: is yet to come");
  }
  const said = { direction, entry, stop: stop_loss ?? null, target: take_profit ?? null };
  const { stop, target } = exitLevels(said, limits);
  if (direction * (target - stop) <= 0) {
    const detail = `query take_profit: a ${direction > 0 ? "long" : "short"} position has it ${direction > 0 ? "above" : "below"} its stop`;
    throw new AppError("invalid_request", detail);
  }
  return { direction, entry, stop, target, quantity, openedAt };
}
