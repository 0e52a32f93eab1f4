import { beforeAll, describe, expect, it } from "vitest";
import { trainShipped } from "../../bench/sentiment-training.js";
import { aliasesOf } from "../../src/core/sentiment/entities.js";
import type { Polarity } from "../../src/core/sentiment/judge.js";
import { unpackModel } from "../../src/core/sentiment/pack.js";
import { scoreText } from "../../src/core/sentiment/score.js";
import { LEXICON_ONLY, SHIPPED } from "../../src/core/sentiment/shipped.js";
import { WEIGHTS } from "../../src/core/sentiment/weights.js";
import { copyKey, halfOf, type Labelled, labelledSet, SENTIMENT_SETS } from "../fixtures/sentiment.js";
import { calibrationError, type Quality, qualityOf } from "../fixtures/sentiment-metrics.js";
import { sharedPath } from "../fixtures/shared.js";
import { vaderCompound, vaderLexicon } from "../fixtures/vader.js";

const present = sharedPath("data", "sentiment") !== null;

type Judge = readonly [name: string, guess: (text: string) => Polarity];

/**
 * Macro-F1 on this half of packages on npm, by the sign of their score; measured beside the checkout, for they are
 * no dependencies of the project.
 */
const PACKAGES: readonly [name: string, twitter: number, sentfin: number, both: number][] = [
  ["sentiment 5.0.2 (AFINN-165)", 0.433, 0.504, 0.474],
  ["natural 8.1.1 (AFINN)", 0.436, 0.505, 0.476],
];
/** Texts of each set that those figures are of. */
const TEXTS = [4693, 3212] as const;

/** Asks once a text, however often it is asked. */
function remembered(guess: (text: string) => Polarity): (text: string) => Polarity {
  const known = new Map<string, Polarity>();
  return (text) => {
    const found = known.get(text) ?? guess(text);
    known.set(text, found);
    return found;
  };
}

const signOf = (score: number, threshold: number): Polarity =>
  score >= threshold ? "positive" : score <= -threshold ? "negative" : "neutral";

function majorityOf(rows: readonly Labelled[]): Polarity {
  const count = (polarity: Polarity) => rows.filter(({ label }) => label === polarity).length;
  const order: Polarity[] = ["neutral", "positive", "negative"];
  return order.reduce((most, next) => (count(next) > count(most) ? next : most));
}

const line = (name: string, { texts, macroF1, f1, accuracy }: Quality) =>
  `  ${name.padEnd(34)} n ${String(texts).padStart(5)}  macro-F1 ${macroF1.toFixed(3)}  (neg ${f1[0].toFixed(3)} neu ${f1[1].toFixed(3)} pos ${f1[2].toFixed(3)})  accuracy ${accuracy.toFixed(3)}\n`;

describe.skipIf(!present)("sentiment of the half not learned from", () => {
  const tables = new Map<string, Map<string, Quality>>();
  const halves = new Map<string, { train: Labelled[]; test: Labelled[] }>();
  let everyTrain: Labelled[] = [];
  let everyTest: Labelled[] = [];

  beforeAll(() => {
    for (const set of SENTIMENT_SETS) {
      const rows = labelledSet(set);
      halves.set(set, {
        train: rows.filter(({ text }) => halfOf(text) === "train"),
        test: rows.filter(({ text }) => halfOf(text) === "test"),
      });
    }
    everyTrain = [...halves.values()].flatMap(({ train }) => train);
    everyTest = [...halves.values()].flatMap(({ test }) => test);
    const lexicon = vaderLexicon(sharedPath("data", "sentiment", "lexicon-vader.tsv.gz") ?? "");
    const samples: [string, Labelled[], Labelled[]][] = [
      ...[...halves].map(([set, { train, test }]): [string, Labelled[], Labelled[]] => [set, train, test]),
      ["both", everyTrain, everyTest],
      [
        "both, mixed as neutral",
        everyTrain,
        everyTest.map((row) => (row.mixed ? { ...row, label: "neutral" } : row)),
      ],
      ["both, mixed left out", everyTrain, everyTest.filter(({ mixed }) => !mixed)],
    ];
    const judges: readonly Judge[] = [
      ["VADER, +-0.05", remembered((text) => signOf(vaderCompound(text, lexicon), 0.05))],
      ["ours, lexicon", remembered((text) => scoreText(text, LEXICON_ONLY).label)],
      ["ours, with classifier", remembered((text) => scoreText(text, SHIPPED).label)],
    ];
    for (const [title, train, test] of samples) {
      const table = new Map<string, Quality>();
      const majority = majorityOf(train);
      for (const [name, guess] of [["majority class", () => majority] as Judge, ...judges]) {
        table.set(name, qualityOf(test.map(({ text, label }) => ({ truth: label, guess: guess(text) }))));
      }
      tables.set(title, table);
    }
    for (const [title, table] of tables) {
      process.stdout.write(`${title}\n${[...table].map(([name, quality]) => line(name, quality)).join("")}`);
    }
  });

  it("shares no copies with the half learned from", () => {
    const learned = new Set(everyTrain.map(({ text }) => copyKey(text)));
    expect(everyTest.filter(({ text }) => learned.has(copyKey(text)))).toEqual([]);
    expect(everyTest.length / (everyTest.length + everyTrain.length)).toBeGreaterThan(0.45);
  });

  it.each([...SENTIMENT_SETS, "both", "both, mixed as neutral", "both, mixed left out"])(
    "is told ahead of the majority class and VADER: %s",
    (title) => {
      const f1 = (name: string) => tables.get(title)?.get(name)?.macroF1 ?? Number.NaN;
      for (const baseline of ["majority class", "VADER, +-0.05"]) {
        expect(f1("ours, lexicon")).toBeGreaterThan(f1(baseline) + 0.1);
        expect(f1("ours, with classifier")).toBeGreaterThan(f1(baseline) + 0.1);
      }
      expect(f1("ours, with classifier")).toBeGreaterThan(f1("ours, lexicon"));
    },
  );

  it("is told ahead of the majority class, VADER and packages on npm, all texts together", () => {
    const f1 = (name: string) => tables.get("both")?.get(name)?.macroF1 ?? Number.NaN;
    const shipped = f1("ours, with classifier");
    const others: [name: string, macroF1: number][] = [
      ["majority class", f1("majority class")],
      ["VADER", f1("VADER, +-0.05")],
      ...PACKAGES.map(([name, , , both]): [string, number] => [name, both]),
    ];
    process.stdout.write(
      `macro-F1 of three classes on ${everyTest.length} texts of the untouched half: shipped ${shipped.toFixed(3)}; ${others
        .map(([name, macroF1]) => `${name} ${macroF1.toFixed(3)}`)
        .join("; ")}\n`,
    );
    for (const [name, macroF1] of others) expect(shipped, name).toBeGreaterThan(macroF1 + 0.25);
  });

  it("is told ahead of packages on npm", () => {
    expect(SENTIMENT_SETS.map((set) => halves.get(set)?.test.length)).toEqual(TEXTS);
    for (const [name, ...figures] of PACKAGES) {
      for (const [at, title] of [...SENTIMENT_SETS, "both"].entries()) {
        process.stdout.write(`${title}: ${name} macro-F1 ${figures[at]}\n`);
        for (const own of ["ours, lexicon", "ours, with classifier"])
          expect(tables.get(title)?.get(own)?.macroF1 ?? 0, name).toBeGreaterThan((figures[at] ?? 1) + 0.1);
      }
    }
  });

  it.each([
    ["lexicon", LEXICON_ONLY],
    ["classifier", SHIPPED],
  ])("is told with a confidence that is the hit rate: %s", (name, model) => {
    const judged = everyTest.flatMap(({ text, label }) => {
      const { confidence, label: guess } = scoreText(text, model);
      return confidence === null ? [] : [{ confidence, right: guess === label }];
    });
    const error = calibrationError(judged);
    process.stdout.write(
      `expected calibration error of the ${name}: ${error.toFixed(4)} on ${judged.length} of ${everyTest.length} texts\n`,
    );
    expect(judged.length / everyTest.length).toBeGreaterThan(0.97);
    expect(error).toBeLessThan(0.04);
  });

  it("names the side of each company better than the whole headline does where they differ", () => {
    let [mentions, entities, own, whole] = [0, 0, 0, 0];
    for (const row of everyTest.filter(({ mixed }) => mixed)) {
      const aliases = aliasesOf([...row.entities.keys()].map((name) => [name, [name]] as const));
      const result = scoreText(row.text, SHIPPED, aliases);
      for (const [name, label] of row.entities) {
        entities++;
        const found = result.entities.find(({ symbol }) => symbol === name);
        if (found === undefined) continue;
        mentions++;
        if (found.label === label) own++;
        if (result.label === label) whole++;
      }
    }
    process.stdout.write(
      `entities of mixed headlines: found ${mentions} of ${entities}, right ${(own / mentions).toFixed(3)}, by the whole headline ${(whole / mentions).toFixed(3)}\n`,
    );
    expect(own).toBeGreaterThan(whole);
    expect(mentions / entities).toBeGreaterThan(0.7);
  });
});

describe.skipIf(!present)("shipped weights", () => {
  it("are what training gives", { timeout: 120_000 }, () => {
    const { packed } = trainShipped();
    expect(packed.hitRates).toEqual(WEIGHTS.hitRates);
    expect(packed.temperature).toBeCloseTo(WEIGHTS.temperature, 6);
    const trained = unpackModel(packed).grams;
    const shipped = unpackModel(WEIGHTS).grams;
    // A last digit of exp() may differ between machines, and move a weight by one of its 255 steps.
    for (const [hash, pair] of shipped) {
      const other = trained.get(hash) ?? { negative: 0, positive: 0 };
      expect(Math.abs(other.negative - pair.negative)).toBeLessThanOrEqual(WEIGHTS.gramStep * 1.01);
      expect(Math.abs(other.positive - pair.positive)).toBeLessThanOrEqual(WEIGHTS.gramStep * 1.01);
    }
  });
});
