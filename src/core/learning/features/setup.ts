import type { PatternFamily } from "../../patterns/define.js";
import type { TradePlan } from "../../signals/trade.js";

/** The trade on the patterns that were confirmed at one bar and expect the same. */
export interface Setup {
  readonly plan: TradePlan;
  /** Close of their bar, and its average true range of 14 bars, in logarithms. */
  readonly close: number;
  readonly range: number;
  /** Best fit among the patterns, 0 to 1. */
  readonly quality: number;
  /** Family of each pattern. */
  readonly families: readonly PatternFamily[];
}

/** What a model is told of the trade itself, beside the bars. */
export interface SetupFeature {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly unit: "range" | "ratio" | "share" | "flag" | "count";
  compute(setup: Setup): number;
}

const risk = ({ plan: { direction, stop }, close }: Setup) => direction * Math.log(close / stop);
const reward = ({ plan: { direction, target }, close }: Setup) => direction * Math.log(target / close);

const family = (name: PatternFamily, words: string): SetupFeature => ({
  id: `setup_${name}`,
  title: `On ${words}`,
  description: `Whether one of the patterns is of the family ${name}.`,
  unit: "flag",
  compute: ({ families }) => Number(families.includes(name)),
});

/** In the order of the columns, which follow those of the features. */
export const SETUP: readonly SetupFeature[] = Object.freeze([
  {
    id: "setup_stop",
    title: "Distance to the stop",
    description: "From the close to the stop, in logarithms, in average true ranges of 14 bars.",
    unit: "range",
    compute: (setup) => (setup.range > 0 ? risk(setup) / setup.range : Number.NaN),
  },
  {
    id: "setup_reward_risk",
    title: "Reward per risk",
    description: "Way from the close to the target per way to the stop, both in logarithms.",
    unit: "ratio",
    compute: (setup) => reward(setup) / risk(setup),
  },
  {
    id: "setup_cost",
    title: "Cost per risk",
    description: "Costs, in and out, per way from the close to the stop.",
    unit: "ratio",
    compute: (setup) => setup.plan.costBps / 10_000 / risk(setup),
  },
  {
    id: "setup_horizon",
    title: "Time",
    description: "Bars after which the trade is closed, by hundreds.",
    unit: "ratio",
    compute: ({ plan }) => plan.horizon / 100,
  },
  {
    id: "setup_quality",
    title: "Quality",
    description: "Best fit among the patterns, 0 to 1.",
    unit: "share",
    compute: ({ quality }) => quality,
  },
  {
    id: "setup_patterns",
    title: "Patterns",
    description: "Patterns that were confirmed at this bar and expect the same.",
    unit: "count",
    compute: ({ families }) => families.length,
  },
  {
    id: "setup_long",
    title: "Long",
    description: "1 for a trade that expects rising prices, 0 for one that expects falling ones.",
    unit: "flag",
    compute: ({ plan }) => Number(plan.direction > 0),
  },
  family("candlestick", "a candlestick"),
  family("chart", "a chart shape"),
  family("volume", "volume"),
  family("level", "a level"),
  family("indicator", "an indicator"),
] as const satisfies readonly SetupFeature[]);
