/** Crockford's base 32: no I, L, O and U. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const TAIL_DIGITS = 16;
const BITS = 5;

/** 48 bits of time and 80 others in 26 digits, of which the first is at most 7. */
export const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/**
 * A ULID, which sorts as text as its parts do.
 * @param timeMs epoch ms, a whole number.
 * @param tail the 80 bits after it.
 */
export function ulidOf(timeMs: number, tail: bigint): string {
  return digitsOf(BigInt(timeMs), TIME_DIGITS) + digitsOf(tail, TAIL_DIGITS);
}

/** Epoch ms that a ULID begins with. */
export function timeOfUlid(ulid: string): number {
  let time = 0;
  for (const digit of ulid.slice(0, TIME_DIGITS)) time = time * DIGITS.length + DIGITS.indexOf(digit);
  return time;
}

function digitsOf(value: bigint, count: number): string {
  let text = "";
  for (let place = count - 1; place >= 0; place--)
    text += DIGITS[Number((value >> BigInt(place * BITS)) & 31n)];
  return text;
}
