const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGIT = new Map([...ALPHABET].map((character, index) => [character, index]));

/** Four characters of 24 bits (RFC 4648), the highest first. */
export function encode24(value: number): string {
  return [18, 12, 6, 0].map((shift) => ALPHABET.charAt((value >>> shift) & 63)).join("");
}

/** The 24 bits that four characters from `at` on stand for; null where they are not all of the alphabet. */
export function decode24(text: string, at: number): number | null {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = DIGIT.get(text.charAt(i));
    if (digit === undefined) return null;
    value = (value << 6) | digit;
  }
  return value;
}

/** Base64 (RFC 4648) of numbers as 32-bit floats, little-endian; each must be one that such a float can hold. */
export function encodeFloats(values: Float64Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  const groups = Math.floor(bytes.length / 3);
  const parts = Array.from({ length: groups }, (_, n) => {
    const at = 3 * n;
    return encode24((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]);
  });
  const left = bytes.length - 3 * groups;
  if (left === 0) return parts.join("");
  const rest = encode24((bytes[3 * groups] << 16) | ((left === 2 ? bytes[3 * groups + 1] : 0) << 8));
  return `${parts.join("")}${rest.slice(0, left + 1)}${"=".repeat(3 - left)}`;
}

/** The numbers that `encodeFloats` wrote; null where the text is not of just so many, or not as it writes them. */
export function decodeFloats(text: string, count: number): Float64Array | null {
  const length = 4 * count;
  if (text.length !== 4 * Math.ceil(length / 3)) return null;
  const padding = (3 - (length % 3)) % 3;
  const body = text.slice(0, text.length - padding);
  if (text.slice(body.length) !== "=".repeat(padding)) return null;
  const padded = body + "A".repeat(padding);
  const bytes = new Uint8Array(length + padding);
  for (let n = 0; n < padded.length / 4; n++) {
    const value = decode24(padded, 4 * n);
    if (value === null) return null;
    bytes[3 * n] = value >>> 16;
    bytes[3 * n + 1] = (value >>> 8) & 0xff;
    bytes[3 * n + 2] = value & 0xff;
  }
  // Bits beyond the last byte would be another text for the same numbers.
  for (let i = length; i < bytes.length; i++) if (bytes[i] !== 0) return null;
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}
