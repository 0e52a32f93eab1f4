import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** Keeps secrets of users from whoever reads the database without the configuration. */
export interface Seal {
  close(text: string): string;
  /** Null for what was closed under another key, or was changed. */
  open(sealed: string): string | null;
}

const PLAIN = "plain:";
const SEALED = "v1:";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM under a key that is derived from the one given. @param secret undefined for none: then nothing is sealed,
 * since a key that ends with the process would lose what it closed.
 */
export function createSeal(secret: string | undefined, purpose: string): Seal {
  const key = secret === undefined ? null : Buffer.from(hkdfSync("sha256", secret, "tx", purpose, 32));
  return {
    close(text) {
      if (key === null) return PLAIN + text;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const closed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return SEALED + Buffer.concat([nonce, cipher.getAuthTag(), closed]).toString("base64");
    },
    open(sealed) {
      if (sealed.startsWith(PLAIN)) return sealed.slice(PLAIN.length);
      if (key === null || !sealed.startsWith(SEALED)) return null;
      const bytes = Buffer.from(sealed.slice(SEALED.length), "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const opened = [decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
        return Buffer.concat(opened).toString("utf8");
      } catch {
        // Whatever does not fit the tag is not what was closed here.
        return null;
      }
    },
  };
}
