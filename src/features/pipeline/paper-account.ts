import { MICROS } from "../../core/execution/money.js";
import { AppError } from "../../platform/errors.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import type { AccountRow } from "../paper-trades/store.js";
import type { DecisionStore } from "./decision-store.js";

/** An account as decisions see it; why nothing is known of it, where it cannot be asked. */
export type Look =
  | {
      readonly why: null;
      /** In its currency. */
      readonly equity: number;
      /** Symbols that are held, that orders are at work for, or whose orders wait to be placed. */
      readonly positions: number;
      /** Whether this one is among them. */
      readonly isHeld: boolean;
    }
  | { readonly why: string };

/** The paper account that decisions are traded in. */
export interface TradedAccount {
  readonly id: string;
  /** @throws {AppError} `database_unavailable`. */
  look(symbol: string): Promise<Look>;
  /** @throws {AppError} `account_not_found`, `account_closed`, `order_refused` where it has another currency. */
  open(): Promise<AccountRow>;
}

export function createTradedAccount(options: {
  readonly id: string;
  /** Of the money that decisions are sized in. */
  readonly currency: string;
  /** Of which market the account has to be. */
  readonly synthetic: boolean;
  readonly paper: Pick<PaperDesk, "accountById" | "book">;
  readonly store: Pick<DecisionStore, "waitingSymbols">;
}): TradedAccount {
  const { id, currency, synthetic, paper, store } = options;

  async function open(): Promise<AccountRow> {
    const row = await paper.accountById(id);
    // One of the other market is nobody's here.
    if (row === null || row.synthetic !== synthetic)
      throw new AppError("account_not_found", `There is no paper account ${id}`);
    if (row.closedAt !== null) throw new AppError("account_closed", `The paper account ${id} is closed`);
    const own = row.rules.account.currency;
    if (own === currency) return row;
    throw new AppError(
      "order_refused",
      `The account is kept in ${own}, and decisions are sized in ${currency}`,
    );
  }

  return {
    id,
    open,
    async look(symbol) {
      try {
        const row = await open();
        const waiting = await store.waitingSymbols(id);
        return await paper.book.look(row, (desk) => {
          const atWork = desk.atWork().map((order) => order.symbol);
          const all = new Set([...desk.state.positions.keys(), ...atWork, ...waiting]);
          return {
            why: null,
            equity: desk.standing().equity / MICROS,
            positions: all.size,
            isHeld: all.has(symbol),
          };
        });
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        return { why: `${error.code}: ${error.message}` };
      }
    },
  };
}
