import type { IncomingHttpHeaders } from "node:http";
import type { CredentialReader, Principal } from "../../platform/http.js";

/** A key as clients of the dialect send it: the id names an API key or its user, the secret is the key itself. */
export interface SentKey {
  /** Null where only a token was sent. */
  readonly id: string | null;
  readonly secret: string;
}

/**
 * The key of a request: in the two headers, as user and password of Basic, or as a bearer token, which may be an API
 * key or a token. Null without any; what is half of a pair has an empty secret, which is nobody's.
 */
export function sentKey(headers: IncomingHttpHeaders): SentKey | null {
  const id = headers["apca-api-key-id"];
  const secret = headers["apca-api-secret-key"];
  if (id !== undefined || secret !== undefined) {
    return { id: typeof id === "string" ? id : "", secret: typeof secret === "string" ? secret : "" };
  }
  const { authorization, "x-api-key": key } = headers;
  if (authorization === undefined) return typeof key === "string" ? { id: null, secret: key } : null;
  const [scheme, value = ""] = authorization.split(" ");
  if (scheme.toLowerCase() === "bearer") return { id: null, secret: value };
  if (scheme.toLowerCase() !== "basic") return { id: null, secret: "" };
  const [user, ...password] = Buffer.from(value, "base64").toString("utf8").split(":");
  return { id: user, secret: password.join(":") };
}

/** Whether a principal is the one that an id names: by its key or by itself. */
export function isNamed({ keyId, userId }: Principal, id: string | null): boolean {
  return id === null || id === userId || (keyId !== undefined && id.toLowerCase() === keyId);
}

export const CREDENTIALS: CredentialReader = {
  read: ({ headers }) => sentKey(headers)?.secret ?? null,
  fits: ({ headers }, principal) => isNamed(principal, sentKey(headers)?.id ?? null),
};
