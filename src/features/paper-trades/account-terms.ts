import type { z } from "zod";
import type { Commission } from "../../core/execution/commission.js";
import type { Slippage } from "../../core/execution/costs.js";
import { roundQuantity } from "../../core/execution/money.js";
import { AppError } from "../../platform/errors.js";
import { commissionFrom, slippageFrom } from "./costs.js";
import type { AccountTerms } from "./rules.js";
import type { accountBody } from "./schema.js";

/** @throws {AppError} `invalid_request` where something is said in two ways. */
export function termsFrom(body: Omit<z.output<typeof accountBody>, "name">): Partial<AccountTerms> {
  const { cash, currency, leverage, shorting, volume_share: volumeShare } = body;
  const given = {
    cash,
    currency,
    leverage,
    shorting,
    spreadBps: body.spread_bps,
    slippage: slippageIn(body),
    commission: commissionIn(body),
    jitterSeed: body.jitter_seed,
    borrowRate: body.borrow_rate,
    interestRate: body.interest_rate,
    volumeShare,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

type CostsBody = Pick<
  z.output<typeof accountBody>,
  "commission" | "commission_percent" | "slippage" | "slippage_bps"
>;

function slippageIn({ slippage, slippage_bps: bps }: CostsBody): Slippage | undefined {
  if (slippage !== undefined && bps !== undefined) throw twice("slippage", "slippage_bps");
  if (slippage !== undefined) return slippageFrom(slippage);
  return bps === undefined ? undefined : bps === 0 ? { kind: "none" } : { kind: "fixed", bps };
}

function commissionIn({ commission, commission_percent: percent }: CostsBody): Commission | undefined {
  if (commission !== undefined && percent !== undefined) throw twice("commission", "commission_percent");
  if (commission !== undefined) return commissionFrom(commission);
  if (percent === undefined) return undefined;
  return percent === 0
    ? { kind: "none" }
    : { kind: "percent", rate: roundQuantity(percent / 100), minimum: 0 };
}

const twice = (one: string, other: string) =>
  new AppError("invalid_request", `body: has ${one} and ${other}, of which one is accepted`);
