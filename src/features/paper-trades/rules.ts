import { type AccountRules, cashRules, marginRules } from "../../core/execution/account.js";
import type { Commission } from "../../core/execution/commission.js";
import { type DeskRules, GTC_DAYS } from "../../core/execution/context.js";
import type { Slippage } from "../../core/execution/costs.js";
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
  readonly slippage: Slippage;
  readonly commission: Commission;
  /** Makes slippage vary from fill to fill by it alone; null where it does not. */
  readonly jitterSeed: number | null;
  /** A year's cost of borrowed shares and of money owed, as shares of their worth. */
  readonly borrowRate: number;
  readonly interestRate: number;
  /** Share of a bar's volume that orders may take in it and at the quotes of its time; null for all. */
  readonly volumeShare: number | null;
}

const BORROW_RATE = 0.01;
const INTEREST_RATE = 0.07;

export const DEFAULT_TERMS = Object.freeze<AccountTerms>({
  name: "Paper",
  cash: 100_000,
  currency: "USD",
  leverage: 2,
  shorting: true,
  spreadBps: 2,
  slippage: { kind: "none" },
  commission: { kind: "none" },
  jitterSeed: null,
  borrowRate: BORROW_RATE,
  interestRate: INTEREST_RATE,
  volumeShare: 0.1,
});

/** Put aside beyond the latest price for orders at the market. */
const RESERVE_RATE = 0.005;
/**
 * What an account on margin may owe before the database takes it for a fault, in times of its capital: a net for what
 * closes and for costs, as each fill that opens something is held to the leverage of its equity.
 */
const FLOOR_FACTOR = 1_000;
/** Micros beyond which sums are not exact any more. */
const MOST_OWED = 9e15;

export function rulesOf(terms: AccountTerms): DeskRules {
  const { commission, spreadBps, slippage, jitterSeed, volumeShare } = terms;
  return {
    account: accountRulesOf(terms),
    costs: { commission, spreadBps, slippage, jitterSeed },
    volumeShare,
    gtcDays: GTC_DAYS,
  };
}

function accountRulesOf({
  currency,
  leverage,
  shorting,
  borrowRate,
  interestRate,
}: AccountTerms): AccountRules {
  const rates = { borrowRate, interestRate, reserveRate: RESERVE_RATE };
  if (leverage === 1) return { ...cashRules(currency), ...rates };
  return { ...marginRules(currency, leverage), ...rates, shorting };
}

/** The terms that an account was opened by, but for its name and its money. */
export function termsOfRules({
  account,
  costs,
  volumeShare,
}: DeskRules): Omit<AccountTerms, "name" | "cash"> {
  // Cash accounts were opened without rates, which matter to none of them.
  const rated = account.kind === "margin" || account.borrowRate > 0 || account.interestRate > 0;
  return {
    currency: account.currency,
    leverage: account.kind === "cash" ? 1 : Math.round(1e6 / account.initialLong) / 1e6,
    shorting: account.shorting,
    ...costs,
    borrowRate: rated ? account.borrowRate : BORROW_RATE,
    interestRate: rated ? account.interestRate : INTEREST_RATE,
    volumeShare,
  };
}

/** Micros that the cash of an account may not fall below. */
export function cashFloorOf({ cash, leverage }: AccountTerms): number {
  if (leverage === 1) return 0;
  return -Math.min(MOST_OWED, FLOOR_FACTOR * Math.ceil(Math.max(1, cash)) * MICROS);
}
