import { createHash } from "node:crypto";

/** SHA-256 of the parts after each other, in hexadecimal. Texts are in UTF-8. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
