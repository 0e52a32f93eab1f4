/** A function of a source text. */
export interface FunctionLines {
  /** Its first line, 1 for the first of the text. */
  readonly line: number;
  readonly head: string;
  /** Lines from the first to the last, without blank ones and comments; each function within counts as one. */
  readonly own: number;
  /** The same with the lines of the functions within. */
  readonly whole: number;
}

const KEYWORD = /^(if|for|while|switch|catch|else|do|try|return|throw|await|with)\b/;
const DECLARED = /^(export )?(default )?(async )?function\b/;
const METHOD =
  /^((static|async|get|set|override) )*#?[\w$]+(<[^(]*>)?\($|^((static|async|get|set|override) )*#?[\w$]+(<[^(]*>)?\(.*\{$/;
const ARROW = /=> \{$/;

/**
 * The functions of a text that the formatter has laid out: whatever a line opens ends with the next line that stands as
 * deep and begins with a closing bracket.
 */
export function functionsOf(text: string): FunctionLines[] {
  const lines = text.split("\n");
  const counted = lines.map((line) => line.trim() !== "" && !/^\s*(\/\/|\/?\*)/.test(line));
  const spans = lines.flatMap((line, first) => {
    const last = opensFunction(line) ? lastLine(lines, first) : null;
    return last === null ? [] : [{ first, last }];
  });
  return spans.map(({ first, last }) => {
    const within = spans.filter((span) => span.first > first && span.last <= last);
    const outermost = within.filter((span) => !within.some((other) => isInside(span, other)));
    const hidden = new Set(outermost.flatMap((span) => range(span.first + 1, span.last)));
    const all = range(first, last).filter((line) => counted[line]);
    return {
      line: first + 1,
      head: lines[first].trim(),
      own: all.filter((line) => !hidden.has(line)).length,
      whole: all.length,
    };
  });
}

interface Span {
  readonly first: number;
  readonly last: number;
}

function opensFunction(line: string): boolean {
  const text = line.trim();
  if (DECLARED.test(text)) return true;
  if (KEYWORD.test(text) && !ARROW.test(text)) return false;
  return ARROW.test(text) || (/^\s/.test(line) && METHOD.test(text));
}

/** Null for what has no body over several lines: overloads, types, calls. */
function lastLine(lines: readonly string[], first: number): number | null {
  const depth = depthOf(lines[first]);
  let opened = lines[first].endsWith("{");
  for (let i = first + 1; i < lines.length; i++) {
    if (lines[i].trim() === "" || depthOf(lines[i]) > depth) continue;
    if (depthOf(lines[i]) < depth) return null;
    const text = lines[i].trim();
    if (/^[)}\]]/.test(text) && text.endsWith("{")) opened = true;
    else return opened && text.startsWith("}") ? i : null;
  }
  return null;
}

function isInside(span: Span, other: Span): boolean {
  return span !== other && span.first > other.first && span.last <= other.last;
}

function depthOf(line: string): number {
  return line.length - line.trimStart().length;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
