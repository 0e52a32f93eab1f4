import { createHash } from "node:crypto";

/** The UUID of a name, always the same for it: version 5 of RFC 9562 over the namespace of URLs and `urn:tx:`. */
export function uuidOf(name: string): string {
  const space = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");
  const bytes = createHash("sha1").update(space).update(`urn:tx:${name}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
