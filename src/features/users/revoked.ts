import type { Principal } from "../../platform/http.js";
import type { Users } from "./users.js";

/**
 * The keys behind callers that have been revoked, as they are found; each is asked for once, however many callers have it.
 */
export async function* revokedKeys(
  principals: Iterable<Principal | null>,
  { stands }: Pick<Users, "stands">,
): AsyncGenerator<string> {
  const byKey = new Map<string, Principal>();
  for (const principal of principals) {
    if (principal?.keyId !== undefined) byKey.set(principal.keyId, principal);
  }
  for (const [keyId, principal] of byKey) if (!(await stands(principal))) yield keyId;
}
