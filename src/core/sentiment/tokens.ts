/**
 * - `word`: letters, with inner apostrophes and dotted capitals ("won't", "U.S."); hyphens separate words.
 * - `ticker`: `$AAPL`, `$BRK.B`.
 * - `number`: with its sign, currency mark and unit, in `value` and `unit`.
 * - `mark`: a pictograph or another symbol that may mean something, by itself.
 * - `stop`: a boundary of sentences or clauses: `. ! ? ; : , - ( ) "` and line ends (as `.`).
 */
export type TokenKind = "word" | "ticker" | "number" | "mark" | "stop";

export type NumberUnit = "percent" | "basis points" | "money" | "times" | "plain";

export interface Token {
  readonly kind: TokenKind;
  /** UTF-16 offsets into the text, [start, end). */
  readonly start: number;
  readonly end: number;
  /**
   * Word: lower case, NFKC, straight apostrophes, no possessive, at most 40 characters. Ticker: upper case
   * without `$`. Mark and stop: the character. Number: "".
   */
  readonly norm: string;
  /** How a word is written; "upper" takes at least two letters. */
  readonly casing: "lower" | "capital" | "upper";
  /** The signed number with magnitude words applied ("-1.2bn" is -1.2e9); NaN for other kinds. */
  readonly value: number;
  readonly unit: NumberUnit;
  /** Whether a sign was written before the number. */
  readonly signed: boolean;
}

const MAX_NORM = 40;
/** Longest run of digits that is read as a number; longer ones have value NaN. */
const MAX_DIGITS = 24;

const LETTER = /[\p{L}\p{M}]/u;
const PICTOGRAPH = /\p{Extended_Pictographic}/u;
const CURRENCY = new Set("$€£¥₹");
const APOSTROPHES = new Set(["'", "’", "‘", "ʼ", "`"]);
const MINUS = new Set(["-", "−", "–"]);
const STOPS = new Map<string, string>([
  ...[..."!?;:,()"].map((mark) => [mark, mark] as const),
  ...[..."[{"].map((mark) => [mark, "("] as const),
  ...[..."]}"].map((mark) => [mark, ")"] as const),
  ...[..."-–—"].map((mark) => [mark, "-"] as const),
  ...[...'"“”«»'].map((mark) => [mark, '"'] as const),
  [".", "."],
  ["…", "."],
  ["|", "."],
  ["\n", "."],
  ["\u2028", "."],
  ["\u2029", "."],
  ["。", "."],
  ["！", "!"],
  ["？", "?"],
]);

/** Words that scale the number before them, and what they make of it. */
const MAGNITUDES: ReadonlyMap<string, number> = new Map([
  ["k", 1e3],
  ["thousand", 1e3],
  ["lakh", 1e5],
  ["m", 1e6],
  ["mn", 1e6],
  ["mln", 1e6],
  ["million", 1e6],
  ["cr", 1e7],
  ["crore", 1e7],
  ["b", 1e9],
  ["bn", 1e9],
  ["bln", 1e9],
  ["billion", 1e9],
  ["tn", 1e12],
  ["trillion", 1e12],
]);
const UNITS: ReadonlyMap<string, NumberUnit> = new Map([
  ["pct", "percent"],
  ["percent", "percent"],
  ["bp", "basis points"],
  ["bps", "basis points"],
  ["x", "times"],
]);

/** Abbreviations whose full stop ends no sentence. */
const ABBREVIATIONS = new Set(
  "inc corp co ltd plc llc mr mrs ms dr st vs no jr sr est dept govt rs jan feb mar apr jun jul aug sep sept oct nov dec".split(
    " ",
  ),
);

const isDigit = (code: number) => code >= 48 && code <= 57;
const isSpace = (code: number) => code === 32 || code === 9 || code === 13 || code === 0xa0;
const isAsciiLetter = (code: number) => (code | 32) >= 97 && (code | 32) <= 122;

/** One walk over the text; every method leaves `at` further on, and none looks back more than a word. */
class Scanner {
  private readonly text: string;
  private readonly tokens: Token[] = [];
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  scan(): Token[] {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (isSpace(code)) this.at++;
      else if (this.startsAddress(code)) this.skipToSpace();
      else if (code === 64 && this.isLetterAt(this.at + 1)) this.skipHandle();
      else if (code === 36 && this.isTicker()) this.readTicker();
      else if (this.startsNumber(code)) this.readNumber();
      else if (this.isLetterAt(this.at)) this.readWord(this.at);
      else this.readMark();
    }
    return this.tokens;
  }

  private codePointAt(index: number): string {
    return index < this.text.length ? String.fromCodePoint(this.text.codePointAt(index) ?? 0) : "";
  }

  private isLetterAt(index: number): boolean {
    const code = this.text.charCodeAt(index);
    if (code < 128) return isAsciiLetter(code);
    return index < this.text.length && LETTER.test(this.codePointAt(index));
  }

  private startsAddress(code: number): boolean {
    const first = code | 32;
    if (first === 104)
      return /^https?:\/\//i.test(this.text.slice(this.at, this.at + 8)) && !this.isInsideWord();
    return first === 119 && /^www\./i.test(this.text.slice(this.at, this.at + 4)) && !this.isInsideWord();
  }

  private isInsideWord(): boolean {
    return this.at > 0 && this.isLetterAt(this.at - 1);
  }

  private skipToSpace(): void {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (isSpace(code) || code === 10) return;
      this.at++;
    }
  }

  private skipHandle(): void {
    this.at++;
    while (this.at < this.text.length) {
      const code = this.text.charCodeAt(this.at);
      if (!isAsciiLetter(code) && !isDigit(code) && code !== 95) return;
      this.at++;
    }
  }

  /** `$` and one to six letters, with a class suffix or not, and no letter or digit after it. */
  private isTicker(): boolean {
    return this.tickerEnd() > 0;
  }

  private tickerEnd(): number {
    const match = /^\$[A-Za-z]{1,6}(?:[.-][A-Za-z]{1,2})?(?![A-Za-z0-9])/.exec(
      this.text.slice(this.at, this.at + 11),
    );
    return match === null ? 0 : this.at + match[0].length;
  }

  private readTicker(): void {
    const start = this.at;
    this.at = this.tickerEnd();
    this.push(
      "ticker",
      start,
      this.text
        .slice(start + 1, this.at)
        .toUpperCase()
        .replace("-", "."),
    );
  }

  /** Digits, or a sign, currency mark or point with digits behind it; a sign counts only where a word could start. */
  private startsNumber(code: number): boolean {
    if (isDigit(code)) return true;
    const signs = this.signLength(this.at);
    let index = this.at + signs;
    if (CURRENCY.has(this.text.charAt(index))) index += 1 + this.signLength(index + 1);
    if (index === this.at && code !== 46) return false;
    if (this.text.charCodeAt(index) === 46) index++;
    return isDigit(this.text.charCodeAt(index)) && (signs === 0 || this.canSign());
  }

  private signLength(index: number): number {
    const mark = this.text.charAt(index);
    return mark === "+" || MINUS.has(mark) ? 1 : 0;
  }

  private canSign(): boolean {
    return this.at === 0 || /[\s([{/:~"',|]/.test(this.text.charAt(this.at - 1));
  }

  private readNumber(): void {
    const { text } = this;
    const start = this.at;
    let sign = 1;
    let signed = false;
    let unit: NumberUnit = "plain";
    for (; !isDigit(text.charCodeAt(this.at)) && text.charCodeAt(this.at) !== 46; this.at++) {
      const mark = text.charAt(this.at);
      if (CURRENCY.has(mark)) unit = "money";
      else {
        signed = true;
        if (mark !== "+") sign = -1;
      }
    }
    const digits = this.readDigits();
    const plain = digits.length <= MAX_DIGITS ? Number(digits) : Number.NaN;
    const suffix = this.readUnit();
    if (suffix === null) {
      // "3M", "5g", "2nd": letters that are no unit make the whole thing a word.
      this.readWord(start);
      return;
    }
    if (suffix.unit !== "plain") unit = suffix.unit;
    this.push("number", start, "", { value: sign * plain * suffix.scale, unit, signed });
  }

  private readDigits(): string {
    const { text } = this;
    const start = this.at;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      const joins = (code === 44 || code === 46) && isDigit(text.charCodeAt(this.at + 1));
      if (!isDigit(code) && !joins) break;
      this.at++;
    }
    if (this.at - start > MAX_DIGITS) return text.slice(start, start + MAX_DIGITS + 1);
    return text.slice(start, this.at).replaceAll(",", "");
  }

  /** The unit behind the digits, joined or one space away; null when other letters are joined to them. */
  private readUnit(): { readonly unit: NumberUnit; readonly scale: number } | null {
    const { text } = this;
    const joined = !isSpace(text.charCodeAt(this.at));
    const from = joined ? this.at : this.at + 1;
    if (text.charAt(from) === "%") {
      this.at = from + 1;
      return { unit: "percent", scale: 1 };
    }
    let end = from;
    while (end < text.length && end - from < 12 && this.isLetterAt(end)) end++;
    const word = text.slice(from, end).toLowerCase();
    const unit = UNITS.get(word);
    const scale = MAGNITUDES.get(word);
    // A single letter counts only when joined: "5 b" may be anything.
    if (word === "" || (!joined && word.length === 1)) return { unit: "plain", scale: 1 };
    if ((unit === undefined && scale === undefined) || this.isLetterAt(end)) {
      return joined ? null : { unit: "plain", scale: 1 };
    }
    this.at = end;
    return { unit: unit ?? "plain", scale: scale ?? 1 };
  }

  /** The rest of a word that began at `start`. */
  private readWord(start: number): void {
    const { text } = this;
    let dotted = false;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      const mark = text.charAt(this.at);
      const letterNext = this.isLetterAt(this.at + 1);
      if (isDigit(code) || this.isLetterAt(this.at)) this.at += code >= 0xd800 && code <= 0xdbff ? 2 : 1;
      else if ((APOSTROPHES.has(mark) || mark === "&") && letterNext) this.at++;
      else if (mark === "." && letterNext && this.isInitial(start)) {
        dotted = true;
        this.at++;
      } else break;
    }
    if (dotted && text.charAt(this.at) === ".") this.at++;
    this.pushWord(start);
  }

  /** Whether the letter before `at` stands alone, as in "U.S". */
  private isInitial(start: number): boolean {
    return this.at - start === 1 || this.text.charAt(this.at - 2) === ".";
  }

  private pushWord(start: number): void {
    const raw = this.text.slice(start, Math.min(this.at, start + MAX_NORM));
    const straight = raw.replace(/[’‘ʼ`]/g, "'");
    const norm = straight.normalize("NFKC").toLowerCase().replace(/'s$/, "").replace(/\.$/, "");
    const upper = /\p{Lu}.*\p{Lu}/u.test(raw) && !/\p{Ll}/u.test(raw);
    const casing = upper ? "upper" : /^\p{Lu}/u.test(raw) ? "capital" : "lower";
    this.push("word", start, norm, { casing });
  }

  private readMark(): void {
    const mark = this.codePointAt(this.at);
    const start = this.at;
    this.at += mark.length;
    const stop = STOPS.get(mark);
    if (stop !== undefined) this.pushStop(stop, start);
    else if (mark === "%" || PICTOGRAPH.test(mark)) this.push("mark", start, mark);
  }

  /** Runs of one stop count once; a full stop behind an abbreviation and a hyphen inside a word count not at all. */
  private pushStop(stop: string, start: number): void {
    const last = this.tokens.at(-1);
    if (last?.kind === "stop" && last.norm === stop) return;
    const joined = last?.end === start;
    if (stop === "-" && joined && this.isLetterAt(this.at)) return;
    if (stop === "." && this.text.charAt(start) === "." && joined) {
      if (last?.kind === "word" && ABBREVIATIONS.has(last.norm)) return;
    }
    this.push("stop", start, stop);
  }

  private push(kind: TokenKind, start: number, norm: string, rest: Partial<Token> = {}): void {
    const { casing = "lower", value = Number.NaN, unit = "plain", signed = false } = rest;
    this.tokens.push({ kind, start, end: this.at, norm, casing, value, unit, signed });
  }
}

/**
 * Splits text into tokens, in one pass and in time linear in its length whatever it holds. Addresses and @handles
 * are dropped, `#` before a word too.
 */
export function tokensOf(text: string): Token[] {
  return new Scanner(text).scan();
}
