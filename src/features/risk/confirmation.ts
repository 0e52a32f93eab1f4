import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** What a confirmation holds its bearer to. */
export interface ConfirmedOrder {
  readonly symbol: string;
  readonly side: "buy" | "sell";
  readonly entry: number;
  readonly stop: number | null;
  readonly target: number | null;
  readonly quantity: number;
}

export const CONFIRMATION_REFUSALS = [
  "malformed",
  "altered",
  "expired",
  "other_user",
  "other_symbol",
  "other_side",
  "other_prices",
  "larger_quantity",
  "already_used",
] as const;
export type ConfirmationRefusal = (typeof CONFIRMATION_REFUSALS)[number];

const payloadSchema = z.strictObject({
  v: z.literal(2),
  user: z.string(),
  symbol: z.string(),
  side: z.enum(["buy", "sell"]),
  entry: z.number(),
  sl: z.number().nullable(),
  tp: z.number().nullable(),
  qty: z.number(),
  /** Rules that were not looked at before it was issued. */
  open: z.array(z.string()),
  exp: z.number(),
  nonce: z.string(),
});
type Payload = z.output<typeof payloadSchema>;

/** What is known of a token that stands for its order. */
export interface Examined {
  readonly nonce: string;
  readonly expiresAt: number;
  readonly unchecked: readonly string[];
  readonly refusal: null;
}

export interface Confirmations {
  /** A token for one order of one user, valid for `ttlMs`. @param unchecked rules that were not looked at. */
  issue(
    userId: string,
    order: ConfirmedOrder,
    ttlMs: number,
    unchecked?: readonly string[],
  ): { token: string; expiresAt: number };
  /** Whether a token stands for the order of the user now: its nonce, when it ends and what was not looked at, or why not. */
  examine(
    token: string,
    userId: string,
    order: ConfirmedOrder,
  ): Examined | { nonce: null; refusal: ConfirmationRefusal };
}

/** Prices may move by this share between the check and the order, */
const PRICE_TOLERANCE = 0.005;
/** and the risk of a unit grow by this share. */
const RISK_TOLERANCE = 0.1;

/**
 * Tokens of `base64url(JSON).base64url(HMAC-SHA256 over the first part)`. That each is used once is for whoever keeps
 * the nonces. @param secret of the server; tokens of another are altered ones.
 */
export function createConfirmations(secret: Uint8Array, now: () => number): Confirmations {
  const sign = (body: string) => createHmac("sha256", secret).update(`risk ${body}`).digest("base64url");

  /** The payload of a token with our signature. */
  function open(token: string): Payload | "malformed" | "altered" {
    const [body, mac, ...rest] = token.split(".");
    if (body === undefined || mac === undefined || rest.length > 0) return "malformed";
    // As text, for base64url is read leniently: of several spellings of one signature the issued one alone stands.
    const given = Buffer.from(mac);
    const own = Buffer.from(sign(body));
    if (given.length !== own.length || !timingSafeEqual(given, own)) return "altered";
    // The signature says that it is JSON of ours.
    const parsed = payloadSchema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
    return parsed.success ? parsed.data : "malformed";
  }

  return {
    issue(userId, { symbol, side, entry, stop, target, quantity }, ttlMs, unchecked = []) {
      const expiresAt = now() + ttlMs;
      const payload: Payload = {
        v: 2,
        user: userId,
        symbol,
        side,
        entry,
        sl: stop,
        tp: target,
        qty: quantity,
        open: [...unchecked],
        exp: expiresAt,
        nonce: randomBytes(16).toString("base64url"),
      };
      const body = Buffer.from(JSON.stringify(payload)).toString("base64url");
      return { token: `${body}.${sign(body)}`, expiresAt };
    },
    examine(token, userId, order) {
      const payload = open(token);
      const refusal = typeof payload === "string" ? payload : refusalOf(payload, userId, order, now());
      if (refusal !== null || typeof payload === "string")
        return { nonce: null, refusal: refusal ?? "malformed" };
      const { nonce, exp: expiresAt, open: unchecked } = payload;
      return { nonce, expiresAt, unchecked, refusal: null };
    },
  };
}

function refusalOf(
  { user, symbol, side, entry, sl, tp, qty, exp }: Payload,
  userId: string,
  order: ConfirmedOrder,
  nowMs: number,
): ConfirmationRefusal | null {
  if (exp <= nowMs) return "expired";
  if (user !== userId) return "other_user";
  if (symbol !== order.symbol) return "other_symbol";
  if (side !== order.side) return "other_side";
  const alike = isNear(entry, order.entry) && isNear(sl, order.stop) && isNear(tp, order.target);
  if (!alike || isRiskier({ side, entry, sl }, order)) return "other_prices";
  return order.quantity > qty ? "larger_quantity" : null;
}

function isNear(confirmed: number | null, given: number | null): boolean {
  if (confirmed === null || given === null) return confirmed === given;
  return Math.abs(given - confirmed) <= PRICE_TOLERANCE * Math.abs(confirmed);
}

/** Whether a unit may lose more than was confirmed, or stop or target lie on the wrong side of the entry. */
function isRiskier(
  { side, entry, sl }: Pick<Payload, "side" | "entry" | "sl">,
  order: ConfirmedOrder,
): boolean {
  const up = side === "buy" ? 1 : -1;
  if (order.target !== null && up * (order.target - order.entry) <= 0) return true;
  if (sl === null || order.stop === null) return false;
  const risk = up * (order.entry - order.stop);
  return risk <= 0 || risk > (1 + RISK_TOLERANCE) * up * (entry - sl);
}
