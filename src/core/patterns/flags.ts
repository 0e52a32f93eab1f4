/**
 * Flags of which one is the other with prices reflected about a constant lie side by side, on an even and an
 * odd bit below this one; the flags from this bit up are their own mirror image.
 */
const MIRRORED_BITS = 22;
const EVEN = 0x55555555 & ((1 << MIRRORED_BITS) - 1);
const SELF = ~((1 << MIRRORED_BITS) - 1);

/** The flags that the mirror image has of a shape that has `flags`. */
export function mirrorFlags(flags: number): number {
  return ((flags & EVEN) << 1) | ((flags >>> 1) & EVEN) | (flags & SELF);
}
