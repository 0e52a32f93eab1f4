/** A source of uniform doubles in [0, 1); the same seed gives the same sequence on every machine. */
export interface Rng {
  next(): number;
  /** Standard normal variate. */
  normal(): number;
  /** Integer in [0, bound). */
  below(bound: number): number;
}

/** 32-bit FNV-1a of a string, as an unsigned integer. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * sfc32 (Small Fast Counter, C. Doty-Humphrey, PractRand) seeded with up to three 32-bit words.
 * Different words give independent streams, so a stream can be addressed by (seed, symbol, day).
 */
export function createRng(seed: number, stream = 0, substream = 0): Rng {
  return new SmallFastCounter(seed, stream, substream);
}

class SmallFastCounter implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spare = 0;
  #hasSpare = false;

  constructor(seed: number, stream: number, substream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = substream | 0;
    // The first outputs still show the structure of the seed words.
    for (let i = 0; i < 12; i++) this.#word();
  }

  #word(): number {
    const b = this.#b;
    const c = this.#c;
    const t = (((this.#a + b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = b ^ (b >>> 9);
    this.#b = (c + (c << 3)) | 0;
    this.#c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  next(): number {
    // 53 bits: 27 from one word, 26 from the next.
    return ((this.#word() >>> 5) * 67108864 + (this.#word() >>> 6)) / 9007199254740992;
  }

  normal(): number {
    if (this.#hasSpare) {
      this.#hasSpare = false;
      return this.#spare;
    }
    // Marsaglia polar method: two variates a round.
    let u: number;
    let v: number;
    let s: number;
    do {
      u = 2 * this.next() - 1;
      v = 2 * this.next() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const factor = Math.sqrt((-2 * Math.log(s)) / s);
    this.#spare = v * factor;
    this.#hasSpare = true;
    return u * factor;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}

/** Any order of a list or column with the same chance (R. Fisher and F. Yates 1938), in place. */
export function shuffle(values: unknown[] | Float64Array, rng: Rng): void {
  for (let i = values.length - 1; i > 0; i--) {
    const other = rng.below(i + 1);
    [values[i], values[other]] = [values[other], values[i]];
  }
}

/** The column cut into blocks of so many values, which are put in another order; the last block may be shorter. */
export function shuffleBlocks(column: Float64Array, size: number, rng: Rng): Float64Array {
  const blocks = Array.from({ length: Math.ceil(column.length / size) }, (_, b) =>
    column.subarray(b * size, (b + 1) * size),
  );
  shuffle(blocks, rng);
  const shuffled = new Float64Array(column.length);
  let at = 0;
  for (const block of blocks) {
    shuffled.set(block, at);
    at += block.length;
  }
  return shuffled;
}

/**
 * Places of `length`, ascending: all of them up to `count`; of more so many, one drawn from each of as many stretches,
 * so that what recurs at one distance is met at any of its places.
 */
export function drawSpread(length: number, count: number, rng: Rng): number[] {
  if (length <= count) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: count }, (_, k) => {
    const from = Math.floor((k * length) / count);
    return from + rng.below(Math.floor(((k + 1) * length) / count) - from);
  });
}

/**
 * The place after another in a stationary bootstrap of `n` places (D. Politis and J. Romano 1994): the next one, around
 * the end, or with a chance the beginning of another block anywhere. @param chance 1 over the mean length of blocks.
 */
export function nextPlace(place: number, n: number, chance: number, rng: Rng): number {
  if (rng.next() < chance) return rng.below(n);
  return place + 1 === n ? 0 : place + 1;
}

/**
 * An unsigned 32-bit word from three: a draw that has a place instead of a sequence, so that nothing depends on what
 * was drawn before. Rounds of MurmurHash3 (A. Appleby) with its finaliser.
 */
export function drawWord(seed: number, place: number, count: number): number {
  let hash = mixWord(seed | 0, place);
  hash = mixWord(hash, count);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixWord(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
