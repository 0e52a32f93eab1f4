import type { Costs } from "../../core/execution/costs.js";
import type { DeskEvent } from "../../core/execution/events.js";
import type { Traded } from "../../core/execution/instrument.js";

/** A paper account of a user, as far as a backtest is held against it. */
export interface PaperAccount {
  readonly id: string;
  readonly name: string;
  readonly currency: string;
}

/** One with all that happened to it. */
export interface PaperRecord {
  readonly account: PaperAccount;
  readonly costs: Costs;
  /** From its first on. */
  readonly events: readonly DeskEvent[];
  readonly traded: ReadonlyMap<string, Traded>;
  /** What orders were placed for, by their id; null for what was not said. */
  readonly placedFor: ReadonlyMap<
    string,
    { readonly strategy: string | null; readonly pattern: string | null; readonly origin: string }
  >;
}

/** Reads paper accounts, which are of a higher floor. */
export interface PaperReader {
  /** The account that is named, or the oldest open one. @throws {AppError} `account_not_found`, also for another's. */
  find(userId: string, accountId: string | undefined): Promise<PaperAccount>;
  /** @throws {AppError} as `find`. */
  read(userId: string, accountId: string): Promise<PaperRecord>;
}
