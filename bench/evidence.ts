import { createHash } from "node:crypto";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { COST_BOUNDS } from "../src/core/signals/cost-class.js";
import { ANY_COSTS, ANY_REGIME, type EvidenceRow } from "../src/core/signals/evidence.js";
import { EDGE_LEVEL } from "../src/core/signals/evidence-edge.js";
import { EDGE_SPREAD } from "../src/core/signals/evidence-walk.js";
import { ROUND_TRIP_BPS, TRADE_POLICY } from "../src/core/signals/levels.js";
import { HOLDOUT_TRADES, loadFolders, type Measured, measureFiles, SETTINGS } from "./evidence-files.js";

/**
 * `npm run evidence -- <folder of candle files> ... [--without VIX] [--only KAGGLE] [--regimes]` prints the evidence of
 * every pattern at every interval. Files whose symbol holds a word of `--without`, or none of `--only`, are left out;
 * `--regimes` prints a row for each regime too. The same files give the same text, whose digest stands at its end.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    without: { type: "string", multiple: true, default: [] },
    only: { type: "string", multiple: true, default: [] },
    regimes: { type: "boolean", default: false },
  },
});
if (positionals.length === 0) {
  process.stderr.write("usage: npm run evidence -- <folder of candle files> ...\n");
  process.exit(2);
}

const series = await loadFolders(positionals, values);
const text = report(measureFiles(series));
process.stdout.write(`${text}\nsha256 ${createHash("sha256").update(text).digest("hex")}\n`);

function report({ table, holdouts }: Measured): string {
  const { stopRanges, targetRanges, horizonBars } = TRADE_POLICY;
  const costs = Object.entries(ROUND_TRIP_BPS).map(([name, bps]) => `${name} ${bps}`);
  const symbols = series.map(({ candles }) => `${candles.symbol} ${candles.interval} ${candles.time.length}`);
  const several = new Set(table.rows.filter(isPart).map(({ variant, interval }) => `${variant} ${interval}`));
  const rows = table.rows.filter(
    ({ variant, interval, regime, costs }) =>
      (values.regimes || regime === ANY_REGIME) &&
      (costs === ANY_COSTS || several.has(`${variant} ${interval}`)),
  );
  const intervals = [...new Set(rows.map(({ interval }) => interval))];
  const found = table.rows.filter(({ qValue }) => qValue !== null && qValue < 0.05);
  return [
    `# Evidence of ${positionals.map((path) => basename(path)).join(", ")}`,
    `${table.series} series, ${table.bars} bars, ${table.occurrences} occurrences: ${symbols.join(", ")}`,
    `Trade: stop ${stopRanges} and target ${targetRanges} average true ranges, or those of the shape; ${horizonBars} bars; ` +
      `costs in and out, basis points: ${costs.join(", ")}, light below ${COST_BOUNDS[0]} of the way to the target, heavy ` +
      `below ${COST_BOUNDS[1]}, prohibitive above. True edges are taken to lie within ${EDGE_SPREAD} of the prior. ` +
      `Edge within [] with ${EDGE_LEVEL * 100} %, p corrected for ${table.tests} tests. Seed ${SETTINGS.seed}.`,
    ...intervals.map((interval) => section(interval, rows, { table, holdouts })),
    `${found.length} of ${table.tests} cells have a corrected p below 0.05`,
  ].join("\n\n");
}

/** Whether trades of a pattern at one interval have costs of several classes: of all but the lightest. */
function isPart({ costs }: EvidenceRow): boolean {
  return costs === "heavy" || costs === "prohibitive";
}

function section(interval: string, rows: readonly EvidenceRow[], { holdouts }: Measured): string {
  const lines = rows.filter((row) => row.interval === interval).map(line);
  const held = holdouts.get(interval);
  const head =
    "pattern|regime|costs|seen|n|void|open|hit rate|95 %|base|edge|99 %|p|p corrected|mean R|confidence|calibration|status";
  const tail =
    held === undefined || held.trades === 0
      ? `no pattern has ${HOLDOUT_TRADES} trades in the first half of the bars`
      : `${held.patterns} patterns with ${HOLDOUT_TRADES} trades or more before ${new Date(held.cutMs).toISOString()}, ` +
        `held against ${held.trades} trades after it: calibration error ${held.calibrationError.toFixed(4)}, ` +
        `mean distance a pattern ${held.meanDistance.toFixed(4)} (chance alone ${held.chanceDistance.toFixed(4)}); ` +
        `by pattern and class of costs, in ${held.blocks} blocks of time`;
  const bars = "|---".repeat(head.split("|").length);
  return [`## ${interval}`, `|${head}|\n${bars}|\n${lines.join("\n")}`, tail].join("\n\n");
}

function line(row: EvidenceRow): string {
  const number = (value: number | null, digits = 3) => (value === null ? "-" : value.toFixed(digits));
  const between = (low: number | null, high: number | null) =>
    low === null ? "-" : `${number(low)} ${number(high)}`;
  const chance = (value: number | null) => (value === null ? "-" : value.toPrecision(2));
  const cells = [
    row.variant,
    row.regime,
    row.costs,
    ...[row.occurrences, row.n, row.voided, row.unsettled],
    number(row.hitRate),
    between(row.low, row.high),
    number(row.baseRate),
    number(row.edge),
    between(row.edgeLow, row.edgeHigh),
    chance(row.pValue),
    chance(row.qValue),
    number(row.meanR),
    number(row.confidence),
    number(row.calibrationError),
    row.shortage ?? row.status,
  ];
  return `|${cells.join("|")}|`;
}
