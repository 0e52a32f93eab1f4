/** Doubles as bytes, eight each, little end first; every NaN as one and the same. */
export function bytesOfColumn(column: Float64Array): Uint8Array {
  const bytes = new Uint8Array(8 * column.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < column.length; i++) {
    if (!Number.isNaN(column[i])) view.setFloat64(8 * i, column[i], true);
    else view.setUint32(8 * i + 4, 0x7ff80000, true);
  }
  return bytes;
}

/** The doubles of `bytesOfColumn`; null where the bytes are no whole number of them. */
export function columnOfBytes(bytes: Uint8Array): Float64Array | null {
  if (bytes.length % 8 !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = Uint8Array.from(LETTERS, (letter) => letter.charCodeAt(0));
const PAD = "=".charCodeAt(0);
const NO_LETTER = 255;
const VALUES = new Uint8Array(256).fill(NO_LETTER);
for (let value = 0; value < 64; value++) VALUES[CODES[value]] = value;
/** Letters that are made into a string at once. */
const PIECE = 8_192;

/** Bytes as base64 (RFC 4648, section 4). */
export function base64Of(bytes: Uint8Array): string {
  const { length } = bytes;
  const codes = new Uint8Array(4 * Math.ceil(length / 3));
  for (let i = 0, at = 0; i < length; i += 3, at += 4) {
    const word =
      (bytes[i] << 16) | ((i + 1 < length ? bytes[i + 1] : 0) << 8) | (i + 2 < length ? bytes[i + 2] : 0);
    codes[at] = CODES[word >>> 18];
    codes[at + 1] = CODES[(word >>> 12) & 63];
    codes[at + 2] = i + 1 < length ? CODES[(word >>> 6) & 63] : PAD;
    codes[at + 3] = i + 2 < length ? CODES[word & 63] : PAD;
  }
  const pieces: string[] = [];
  for (let at = 0; at < codes.length; at += PIECE)
    pieces.push(String.fromCharCode(...codes.subarray(at, at + PIECE)));
  return pieces.join("");
}

/** The bytes of `base64Of`; null for every text that it would not have written. */
export function bytesOfBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const letters = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < letters; i++) {
    const code = text.charCodeAt(i);
    const value = code < 256 ? VALUES[code] : NO_LETTER;
    if (value === NO_LETTER) return null;
    word = ((word << 6) | value) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (word >>> bits) & 255;
  }
  const left = word & ((1 << bits) - 1);
  return left === 0 ? bytes : null;
}
