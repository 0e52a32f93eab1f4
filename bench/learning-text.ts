import { mergeSamples, pickLabelled } from "../src/core/learning/rows.js";
import {
  type LabelledSamples,
  SAMPLE_NAMES,
  SAMPLE_SCHEMA,
  samplesOf,
} from "../src/core/learning/samples.js";
import type { SequenceNet } from "../src/core/learning/sequence-net/net.js";
import { INTERVALS } from "../src/core/market/interval.js";
import { calendarOf } from "../src/core/market/session.js";
import type { EvidenceSeries } from "../src/core/signals/evidence-series.js";
import { type AgentWalkTerms, agentText } from "./learning-agents.js";
import { drawnNet, layersOf, netText } from "./learning-layers.js";
import { SHARE_OF_WINS, type Taken, type Walk, type WalkFigures, walkForward } from "./learning-walk.js";

export interface ReportTerms extends AgentWalkTerms {
  /** Newest rows of an interval that are walked over, and newest bars of a file that rows are made of. */
  readonly mostRows: number;
  readonly mostBars: number;
  /** Drawn windows that the net learns. */
  readonly netWindows: number;
}

/** What models were worth on series, interval by interval, as text; the same series give the same. */
export function reportOf(series: readonly EvidenceSeries[], terms: ReportTerms): string {
  const net = drawnNet(terms.seed, terms.netWindows);
  const sections = INTERVALS.flatMap((interval) => {
    const members = series.filter(({ candles }) => candles.interval === interval);
    return members.length === 0 ? [] : [sectionOf(interval, members, net, terms)];
  });
  return [
    "# Models of patterns, walked forward",
    `${SAMPLE_NAMES.length} columns of schema ${SAMPLE_SCHEMA}; the newest ${terms.mostBars} bars of a file and ${terms.mostRows} ` +
      "rows of an interval. Label: the target came before the stop and the time, and the trade gained after costs. Four folds " +
      "in time: models learn from what had settled before each, calibrated on the last fifth of that. Nothing was chosen by " +
      "what is printed here. The AUC is of pairs of rows within a fold, the folds weighted by their pairs. Intervals in [] are " +
      "Student's, 95 %, over draws of rows in blocks twice as long as outcomes overlap. A model that said the same of all rows " +
      "is silent, and has no figures. Trades are " +
      "those whose score is above the chance at which they break even; gains after assumed costs, in basis points of the " +
      `entry, not compounded, and without limits of capital. Seed ${terms.seed}.`,
    `${netText(terms.netWindows)} ${agentText(terms.agentSteps)} Fusion weighs patterns by their quality, the net, and the direction of 1h, 4h and 1d as the ` +
      "bars of the row's interval make them; there are no texts.",
    ...sections,
  ].join("\n\n");
}

function sectionOf(
  interval: string,
  members: readonly EvidenceSeries[],
  net: SequenceNet,
  terms: ReportTerms,
): string {
  const parts = members.map(({ candles, calendar, costBps }) =>
    samplesOf(candles, { calendar: calendarOf(calendar) }, { policy: { kind: "barriers" }, costBps }),
  );
  const labelled = newest(mergeSamples(parts), terms.mostRows);
  const names = members.map(({ candles: { symbol, time } }) => `${symbol} ${time.length}`).join(", ");
  const keys = labelled.facts.map(({ regime }) => regime ?? "");
  const layers = layersOf(members, parts, labelled, net);
  const walk = walkForward({ ...labelled, keys, layers }, terms);
  const head = `## ${interval}\n\n${members.length} series: ${names}`;
  const rows = labelled.facts.length;
  if (walk === null) return `${head}\n\n${rows} rows have settled: too few to walk over`;
  const agents = walk.agents.map((line, fold) => `agent, fold ${fold + 1}: ${line}`);
  return [`${head}\n\n${scopeOf(walk, rows)}`, tableOf(walk), ...walk.models.map(curveOf), ...agents].join(
    "\n\n",
  );
}

function newest(labelled: LabelledSamples, most: number): LabelledSamples {
  const { length } = labelled.facts;
  const from = Math.max(0, length - most);
  return pickLabelled(
    labelled,
    Int32Array.from({ length: length - from }, (_, k) => from + k),
  );
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const number = (value: number, digits = 4) => (Number.isFinite(value) ? value.toFixed(digits) : "-");
const points = (value: number) => number(value * 10_000, 1);

function scopeOf({ rows, fromMs, toMs, wins, overlap, all }: Walk, settled: number): string {
  return (
    `${rows} of ${settled} rows scored, decided ${dateOf(fromMs)} to ${dateOf(toMs)}, ${number(wins * 100, 1)} % won; ` +
    `${number(overlap, 0)} rows are decided until one is known. All trades: ${gainOf(all)}`
  );
}

function gainOf({ trades, wins, gain }: Taken): string {
  if (trades === 0) return "none";
  return `${trades}, ${number((wins / trades) * 100, 1)} % won, mean ${points(gain.value)} [${points(gain.low)} ${points(gain.high)}]`;
}

const HEAD =
  "model|AUC|log-loss|Brier|reliability|resolution|uncertainty|within|calibration error|less chance|trades above break-even";

export function tableOf({ models }: Walk): string {
  const lines = models.map(lineOf).join("\n");
  return `|${HEAD}|\n${"|---".repeat(HEAD.split("|").length)}|\n${lines}`;
}

function lineOf(figures: WalkFigures): string {
  const { model, silentFolds, folds } = figures;
  if (isSilent(figures)) return `|${model}|silent${"|-".repeat(HEAD.split("|").length - 2)}|`;
  const partly =
    model === SHARE_OF_WINS || silentFolds === 0 ? "" : ` (silent in ${silentFolds} of ${folds} folds)`;
  return cellsOf(figures, partly);
}

/** Whether a model said nothing of any row; the share of wins is what others are held against. */
const isSilent = ({ model, silentFolds, folds }: WalkFigures) =>
  model !== SHARE_OF_WINS && silentFolds === folds;

function cellsOf(
  { model, area, logLoss, brier, calibrationError, calibrationGap, taken }: WalkFigures,
  partly: string,
): string {
  const cells = [
    `${model}${partly}`,
    `${number(area.value, 3)} [${number(area.low, 3)} ${number(area.high, 3)}]`,
    number(logLoss),
    ...[brier.score, brier.reliability, brier.resolution, brier.uncertainty, brier.within].map((part) =>
      number(part),
    ),
    number(calibrationError, 3),
    number(calibrationGap, 3),
    gainOf(taken),
  ];
  return `|${cells.join("|")}|`;
}

function curveOf(figures: WalkFigures): string {
  const { model, curve } = figures;
  if (isSilent(figures)) return `${model}: silent`;
  const bins = curve.map(
    ({ predicted, happened, weight }) => `${number(predicted, 3)}>${number(happened, 3)} (${weight})`,
  );
  return `${model}, predicted>happened (rows): ${bins.join(" ")}`;
}
