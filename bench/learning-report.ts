import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DataSetRefused } from "../src/core/learning/data-set.js";
import { loadFolders } from "./evidence-files.js";
import { AGENT_STEPS } from "./learning-agents.js";
import { NET_WINDOWS } from "./learning-layers.js";
import { reproduce } from "./learning-reproduce.js";
import { type ReportTerms, reportOf } from "./learning-text.js";

/**
 * `npx tsx bench/learning-report.ts <folder of candle files> ... [--without VIX] [--only KAGGLE] [--rows 8000] [--bars 20000] [--windows 6000] [--steps 1500]` prints
 * what models of every interval were worth, walked forward; the same files give the same text, whose digest stands at its
 * end. `npx tsx bench/learning-report.ts --data <exported data set> --seed 1 --by regime` learns from a data set as a training does
 * and prints the hash of the artefact; the file may be an answer of `GET /api/jobs/:id/result`,
 * and one in parts is given with --data for each.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    without: { type: "string", multiple: true, default: [] },
    only: { type: "string", multiple: true, default: [] },
    rows: { type: "string", default: "8000" },
    bars: { type: "string", default: "20000" },
    windows: { type: "string", default: String(NET_WINDOWS) },
    steps: { type: "string", default: String(AGENT_STEPS) },
    data: { type: "string", multiple: true },
    seed: { type: "string", default: "1" },
    by: { type: "string", default: "regime" },
  },
});

const USAGE =
  "usage: npx tsx bench/learning-report.ts <folder of candle files> ... | --data <data set> [--data <next part>] [--seed 1] [--by regime|pattern]";
const whole = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN);
const terms: ReportTerms = {
  seed: whole(values.seed),
  mostRows: whole(values.rows),
  mostBars: whole(values.bars),
  netWindows: whole(values.windows),
  agentSteps: whole(values.steps),
};
const { by } = values;
const isUsable =
  Object.values(terms).every((value) => !Number.isNaN(value)) &&
  (by === "regime" || by === "pattern") &&
  (values.data === undefined) === positionals.length > 0;

if (!isUsable) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else if (values.data === undefined) {
  const text = reportOf(await loadFolders(positionals, values, terms.mostBars), terms);
  process.stdout.write(`${text}\nsha256 ${createHash("sha256").update(text).digest("hex")}\n`);
} else {
  try {
    const texts = values.data.map((path) => readFileSync(path, "utf8"));
    process.stdout.write(`${JSON.stringify(reproduce(texts, terms.seed, by), null, 2)}\n`);
  } catch (error) {
    if (!(error instanceof DataSetRefused) && !(error instanceof Error && "code" in error)) throw error;
    process.stderr.write(`${values.data.join(", ")}: ${error.message}\n`);
    process.exitCode = 1;
  }
}
