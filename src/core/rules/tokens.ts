/** A piece of an expression. */
export interface Token {
  /** `name` and `sign` by what they are, in lower case. */
  readonly kind: "number" | "name" | "text" | "sign" | "end";
  readonly text: string;
  /** Characters before it. */
  readonly at: number;
}

/** Where an expression cannot be read, and what could have stood there. */
export interface SyntaxProblem {
  /** Characters before the place. */
  readonly position: number;
  readonly message: string;
  readonly expected: readonly string[];
}

/** Carries a problem out of the depths of the reader, which catches it. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
  readonly problem: SyntaxProblem;

  constructor(position: number, message: string, expected: readonly string[] = []) {
    super(message);
    this.problem = { position, message, expected };
  }
}

const BLANK = /\s+/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const TEXT = /"([^"\n]*)"|'([^'\n]*)'/y;
const SIGN = /<=|>=|==|!=|[<>=+\-*/()[\],.:]/y;

/** The pieces of an expression, the last of which is its end. @throws SyntaxFault */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  function take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = at;
    return form.exec(expression);
  }
  while (at < expression.length) {
    const blank = take(BLANK);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const found = take(NUMBER) ?? take(NAME) ?? take(TEXT) ?? take(SIGN);
    if (found === null) throw strange(expression, at);
    tokens.push(tokenOf(found, at));
    at += found[0].length;
  }
  tokens.push({ kind: "end", text: "", at });
  return tokens;
}

function tokenOf(found: RegExpExecArray, at: number): Token {
  const [text, double, single] = found;
  const [first] = text;
  if (first === '"' || first === "'") return { kind: "text", text: double ?? single, at };
  if (/[A-Za-z_]/.test(first)) return { kind: "name", text: text.toLowerCase(), at };
  if (/\d/.test(first) || text.length > 2 || /^\.\d/.test(text)) return { kind: "number", text, at };
  return { kind: "sign", text: text === "==" ? "=" : text, at };
}

function strange(expression: string, at: number): SyntaxFault {
  const sign = String.fromCodePoint(expression.codePointAt(at) ?? 0);
  if (sign === '"' || sign === "'") return new SyntaxFault(at, "The text is not closed", [sign]);
  return new SyntaxFault(at, `${JSON.stringify(sign)} means nothing here`);
}
