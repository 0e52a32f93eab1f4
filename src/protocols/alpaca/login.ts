import type { Principal } from "../../platform/http.js";
import { isNamed, type SentKey } from "./auth.js";

/** Says whom a credential stands for; null for nobody. @throws {AppError} where too many were wrong. */
export type Identify = (ip: string, credential: string) => Promise<Principal | null>;

/** A key as a frame sends it: `{key, secret}`, or in `data` `{key_id, secret_key}` or `{oauth_token}`. */
export function keyOfFrame(frame: Readonly<Record<string, unknown>>): SentKey {
  const data = isRecord(frame.data) ? frame.data : {};
  const token = data.oauth_token;
  if (typeof token === "string") return { id: null, secret: token };
  const id = frame.key ?? data.key_id;
  const secret = frame.secret ?? data.secret_key;
  // Clients with a token alone send it in place of the secret.
  if (id === "oauth" && typeof secret === "string") return { id: null, secret };
  return { id: typeof id === "string" ? id : "", secret: typeof secret === "string" ? secret : "" };
}

/** Whom a key stands for; null for nobody, and for those who are known without a key. */
export async function identifyKey(
  identify: Identify,
  ip: string,
  { id, secret }: SentKey,
): Promise<Principal | null> {
  const principal = await identify(ip, secret);
  return principal !== null && !principal.anonymous && isNamed(principal, id) ? principal : null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
