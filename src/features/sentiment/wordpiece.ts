/** Longest word that is cut into pieces. */
const MAX_WORD = 100;
const PUNCTUATION = /[\p{P}$+<=>^`|~]/u;
/** Scripts that do not separate words. */
const IDEOGRAPH = /\p{Script=Han}/u;

export interface Encoded {
  readonly ids: readonly number[];
  /** 1 for each id. */
  readonly mask: readonly number[];
}

export interface WordPiece {
  /** Pieces of a text, without the marks of its beginning and end. */
  pieces(text: string): string[];
  /** Ids of a text between `[CLS]` and `[SEP]`, at most `limit`. */
  encode(text: string, limit: number): Encoded;
}

/**
 * The tokenizer of BERT and its kin (Devlin et al. 2019): words and signs, cut greedily into the longest pieces of the
 * vocabulary, of which `##` begins those inside a word.
 *
 * @param vocabulary a piece a line, its id the number of the line
 * @param lowerCase whether capitals and accents are dropped before
 * @throws where a mark that every text needs is not in the vocabulary
 */
export function createWordPiece(vocabulary: string, lowerCase: boolean): WordPiece {
  const ids = new Map(vocabulary.split(/\r?\n/).map((piece, id) => [piece, id] as const));
  const idOf = (mark: string): number => {
    const id = ids.get(mark);
    if (id === undefined) throw new Error(`the vocabulary has no ${mark}`);
    return id;
  };
  const [begin, end, unknown] = [idOf("[CLS]"), idOf("[SEP]"), idOf("[UNK]")];

  function piecesOf(word: string): string[] {
    const characters = [...word];
    if (characters.length > MAX_WORD) return ["[UNK]"];
    const pieces: string[] = [];
    for (let start = 0; start < characters.length; ) {
      let stop = characters.length;
      let piece = "";
      for (; stop > start; stop--) {
        piece = (start > 0 ? "##" : "") + characters.slice(start, stop).join("");
        if (ids.has(piece)) break;
      }
      if (stop === start) return ["[UNK]"];
      pieces.push(piece);
      start = stop;
    }
    return pieces;
  }

  const pieces = (text: string) => wordsOf(text, lowerCase).flatMap(piecesOf);
  return {
    pieces,
    encode(text, limit) {
      const body = pieces(text)
        .slice(0, limit - 2)
        .map((piece) => ids.get(piece) ?? unknown);
      const all = [begin, ...body, end];
      return { ids: all, mask: all.map(() => 1) };
    },
  };
}

function wordsOf(text: string, lowerCase: boolean): string[] {
  const plain = lowerCase
    ? text
        .toLowerCase()
        .normalize("NFD")
        .replace(/\p{Mn}/gu, "")
    : text;
  let spaced = "";
  for (const character of plain) {
    const alone = PUNCTUATION.test(character) || IDEOGRAPH.test(character);
    spaced += alone ? ` ${character} ` : character;
  }
  return spaced.split(/\s+/).filter((word) => word !== "");
}
