import { AppError } from "../../platform/errors.js";
import type { PaperAccount, PaperReader } from "../backtests/paper-record.js";
import { tradedAs } from "../instruments/traded.js";
import type { Accounts } from "./accounts.js";
import type { Ledger } from "./ledger.js";
import type { AccountRow } from "./store.js";

/** Accounts with all that happened to them, for whoever holds a backtest against one. */
export function createPaperReader({
  accounts,
  ledger,
}: {
  accounts: Pick<Accounts, "find" | "existing">;
  ledger: Pick<Ledger, "look">;
}): PaperReader {
  return {
    async find(userId, accountId) {
      const row =
        accountId === undefined ? await accounts.existing(userId) : await accounts.find(userId, accountId);
      if (row === null) throw new AppError("account_not_found", "There is no paper account yet");
      return accountOf(row);
    },
    async read(userId, accountId) {
      const row = await accounts.find(userId, accountId);
      const look = await ledger.look(
        row.id,
        (_desk, { history, causes }) => ({ events: [...history.events], causes: new Map(causes) }),
        row,
      );
      const symbols = new Set(look.events.flatMap(({ symbol }) => symbol ?? []));
      return {
        account: accountOf(row),
        costs: row.rules.costs,
        events: look.events,
        traded: new Map([...symbols].map((symbol) => [symbol, tradedAs(symbol)])),
        placedFor: new Map(
          [...look.causes].map(([id, { strategy, pattern, origin }]) => [id, { strategy, pattern, origin }]),
        ),
      };
    },
  };
}

function accountOf({ id, name, rules }: AccountRow): PaperAccount {
  return { id, name, currency: rules.account.currency };
}
