import { randomWalk } from "./data.js";
import { BARS, batchCase, figure, NAMES } from "./indicators-cases.js";
import { loadPeer, type Peer } from "./indicators-peers.js";
import { type Case, type Figure, type Section, Timings, timeCases, untilSteady } from "./time.js";

/** Prints a section: the npm package named by the second argument and ours, on the same bars in the same rounds. */

/** Least geometric mean of how many times faster than a package ours are. */
const LEAST_MEAN: Readonly<{ [peer: string]: number }> = {
  technicalindicators: 30,
  "@ixjb94/indicators": 5,
};

const ROUNDS = 3;
/** The package that comes nearest to its target is timed until its times stand still; the others are far from it. */
const MOST_TURNS: Readonly<{ [peer: string]: number }> = { "@ixjb94/indicators": 12 };

function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, value) => sum + Math.log(value), 0) / numbers.length);
}

/** The cases of a peer that run; those that throw at the first call are named in `notes`. */
function runnable({ name, cases }: Peer, notes: string[]): Case[] {
  return Object.entries(cases).flatMap(([indicator, run]) => {
    try {
      run();
      return [{ name: `${name} ${indicator}`, items: BARS, run }];
    } catch (error) {
      notes.push(`${name} ${indicator} skipped: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}

function peerFigures(name: string, timings: Timings): Figure[] {
  const compared = NAMES.filter((indicator) => timings.has(`${name} ${indicator}`));
  const ratios = compared.map((indicator) => ({
    indicator,
    fastest: timings.fastest(`${name} ${indicator}`) / timings.fastest(indicator),
    median: timings.median(`${name} ${indicator}`) / timings.median(indicator),
  }));
  const mean = geometricMean(ratios.map(({ fastest }) => fastest));
  const medians = geometricMean(ratios.map(({ median }) => median)).toFixed(1);
  const least = LEAST_MEAN[name];
  const nearest = ratios.reduce((worst, next) => (next.fastest < worst.fastest ? next : worst));
  const target = least === undefined ? undefined : ([`>= ${least}`, mean >= least] as const);
  return [
    figure(`${name}, mean over ${ratios.length}; of medians ${medians}`, mean, "x ours", target),
    figure(`${name}, nearest: ${nearest.indicator}`, nearest.fastest, "x ours", [
      ">= 1",
      nearest.fastest >= 1,
    ]),
  ];
}

async function measurePeer(name: string): Promise<Section> {
  const section = { row: "I3", title: `${name}, ${BARS} bars, fastest rounds` };
  const bars = randomWalk(BARS, 2);
  const { peer, problem } = await loadPeer(name, bars);
  if (peer === null) return { ...section, notes: [problem], figures: [] };
  const notes: string[] = [];
  const timings = new Timings();
  const ours = NAMES.map((indicator) => batchCase(indicator, bars));
  const cases = [...ours, ...runnable(peer, notes)];
  untilSteady(1, MOST_TURNS[name] ?? 1, () => timings.add(timeCases(cases, ROUNDS)));
  return { ...section, notes, figures: peerFigures(name, timings) };
}

process.stdout.write(JSON.stringify([await measurePeer(process.argv[3])]));
