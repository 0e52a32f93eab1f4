/** Text without what XML forbids. */
export function xmlText(text: string): string {
  return Array.from(text)
    .filter((letter) => isXmlCharacter(letter.codePointAt(0) ?? 0))
    .join("");
}

/** Text as it may stand in XML, between tags and in attributes; what XML forbids is left out. */
export function escapeXml(text: string): string {
  return Array.from(xmlText(text))
    .map((letter) => ENTITIES[letter] ?? letter)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function isXmlCharacter(code: number): boolean {
  if (code === 0x9 || code === 0xa || code === 0xd) return true;
  return (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}
