import { aggregateSource, aggregateSources, keywordsOf } from "../src/core/sentiment/aggregate.js";
import { aliasesOf } from "../src/core/sentiment/entities.js";
import { scoreText } from "../src/core/sentiment/score.js";
import { LEXICON_ONLY, SHIPPED } from "../src/core/sentiment/shipped.js";
import { type Bench, type Figure, timeCases } from "./time.js";

const HEADLINES = [
  "Acme beats estimates and raises its full-year guidance; shares jump 7%",
  "Regulators open an investigation into Globex after the data breach",
  "Initech narrows its loss as costs fall, but warns of weak demand in Europe",
  "$ACME vs $GLBX: analysts upgrade one and cut the price target of the other",
  "Umbrella to hold its annual meeting on 14 May",
  "Hooli did not miss expectations, though margins were under pressure for a third quarter",
];
const COPIES = 500;
const HOUR_MS = 3_600_000;
const ALIASES = aliasesOf([
  ["ACME", ["Acme"]],
  ["GLBX", ["Globex"]],
  ["INIT", ["Initech"]],
]);

function figures(): Figure[] {
  const texts = Array.from({ length: COPIES }, (_, i) => `${HEADLINES[i % HEADLINES.length]} (${i})`);
  const scored = texts.map((text) => scoreText(text, SHIPPED, ALIASES));
  const rows = scored.map(({ score, confidence }, i) => ({ time: -i * HOUR_MS, score, confidence }));
  const article = `${HEADLINES.join(". ")}. `.repeat(200);
  const recency = { nowMs: 0, halfLifeMs: 24 * HOUR_MS };
  const cases = [
    { name: "a headline by the lexicon", items: COPIES, run: () => score(texts, LEXICON_ONLY) },
    { name: "a headline by lexicon and classifier", items: COPIES, run: () => score(texts, SHIPPED) },
    {
      name: `an article of ${Math.round(article.length / 1_000)},000 characters`,
      items: 1,
      run: () => score([article], SHIPPED),
    },
    {
      name: `aggregate of ${COPIES} texts`,
      items: 1,
      run: () => void aggregateSources(new Map([["news", aggregateSource(rows, recency)]])),
    },
    { name: `keywords of ${COPIES} texts`, items: 1, run: () => void keywordsOf(scored, 10) },
  ];
  return timeCases(cases).map(({ name, minNs }) => ({ name, value: minNs / 1_000, unit: "us" }));
}

function score(texts: readonly string[], model: typeof SHIPPED): void {
  for (const text of texts) scoreText(text, model, ALIASES);
}

export const bench: Bench = {
  name: "Sentiment",
  run: async () => [{ title: "Scores of texts", notes: [], figures: figures() }],
};
