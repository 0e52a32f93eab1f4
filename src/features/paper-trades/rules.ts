import { type AccountRules, cashRules, marginRules } from "../../core/execution/account.js";
import { type DeskRules, GTC_DAYS } from "../../core/execution/context.js";
import { MICROS } from "../../core/execution/money.js";

/** What somebody says of an account when it is opened. */
export interface AccountTerms {
  readonly name: string;
  /** In the account's currency. */
  readonly cash: number;
  readonly currency: string;
  /** 1 for a cash account, which never owes; above it one on margin. */
  readonly leverage: number;
  readonly shorting: boolean;
  /** Of each trade; half of it is paid where a price does not tell bid and ask. */
  readonly spreadBps: number;
  readonly slippageBps: number;
  readonly commissionPercent: number;
  /** Share of a bar's volume that resting orders may take; null for all. */
  readonly volumeShare: number | null;
}

export const DEFAULT_TERMS: AccountTerms = Object.freeze({
  name: "Paper",
  cash: 100_000,
  currency: "USD",
  leverage: 2,
  shorting: true,
  spreadBps: 2,
  slippageBps: 0,
  commissionPercent: 0,
  volumeShare: 0.1,
});

/** A year's cost of borrowed shares and of money owed, as shares of their worth. */
const BORROW_RATE = 0.01;
const INTEREST_RATE = 0.07;
/** Put aside beyond the latest price for orders at the market. */
const RESERVE_RATE = 0.005;
/** What an account on margin may owe before the database takes it for a fault, in times of its capital. */
const FLOOR_FACTOR = 1_000;
/** Micros beyond which sums are not exact any more. */
const MOST_OWED = 9e15;

export function rulesOf(terms: AccountTerms): DeskRules {
  const { commissionPercent, spreadBps, slippageBps, volumeShare } = terms;
  return {
    account: accountRulesOf(terms),
    costs: {
      commission:
        commissionPercent === 0
          ? { kind: "none" }
          : { kind: "percent", rate: commissionPercent / 100, minimum: 0 },
      spreadBps,
      slippage: slippageBps === 0 ? { kind: "none" } : { kind: "fixed", bps: slippageBps },
      jitterSeed: null,
    },
    volumeShare,
    gtcDays: GTC_DAYS,
  };
}

function accountRulesOf({ currency, leverage, shorting }: AccountTerms): AccountRules {
  const borrowed = { borrowRate: BORROW_RATE, interestRate: INTEREST_RATE, reserveRate: RESERVE_RATE };
  if (leverage === 1) return { ...cashRules(currency), reserveRate: RESERVE_RATE };
  return { ...marginRules(currency, leverage), ...borrowed, shorting };
}

/** Micros that the cash of an account may not fall below. */
export function cashFloorOf({ cash, leverage }: AccountTerms): number {
  if (leverage === 1) return 0;
  return -Math.min(MOST_OWED, FLOOR_FACTOR * Math.ceil(Math.max(1, cash)) * MICROS);
}
