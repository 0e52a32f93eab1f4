/** One term of the decision; values lie within the range. */
export interface DecisionTerm {
  readonly name: string;
  readonly default: number;
  readonly range: readonly [number, number];
  readonly description: string;
}

function term(
  name: string,
  preset: number,
  range: readonly [number, number],
  description: string,
): DecisionTerm {
  return Object.freeze({ name, default: preset, range: Object.freeze(range), description });
}

/** What a decision may be told to be: docs, the API and the checks of requests derive from this. */
export const DECISION_TERMS = Object.freeze({
  leastQuality: term("leastQuality", 0.3, [0, 1], "least quality of a synergy"),
  leastModel: term("leastModel", 0.5, [0, 1], "least score of a model, where one is given"),
  nearestStop: term(
    "nearestStop",
    0.5,
    [0.05, 10],
    "least distance of the stop, in average true ranges: a nearer one is moved out to it",
  ),
  furthestStop: term(
    "furthestStop",
    3,
    [0.05, 20],
    "largest distance of the stop, in average true ranges: beyond it nothing is done",
  ),
  beyondNode: term("beyondNode", 0.1, [0, 2], "average true ranges by which the stop lies beyond the node"),
  stopWithoutNode: term(
    "stopWithoutNode",
    0,
    [0, 20],
    "average true ranges between entry and stop where there is no node on that side; 0 to do nothing then",
  ),
  rewardRisk: term("rewardRisk", 2, [0.5, 10], "distance of the target in those of the stop"),
  leastReward: term(
    "leastReward",
    1,
    [0, 10],
    "least gain at the target per loss at the stop, both after costs",
  ),
  riskShare: term("riskShare", 0.01, [0.0001, 0.2], "share of the equity that may be lost at the stop"),
  mostUnits: term("mostUnits", 5, [0, 1e12], "most units of a position"),
  mostLeverage: term("mostLeverage", 1, [0.01, 100], "most that a position may be worth, in equities"),
  lot: term("lot", 1, [1e-9, 1e9], "units in which a position is counted: below 1 where fractions trade"),
  sizeAtNoQuality: term(
    "sizeAtNoQuality",
    0.5,
    [0, 1],
    "part of the size that a quality of 0 has; that of 1 has all of it, and between them it grows evenly",
  ),
  mostPositions: term("mostPositions", 3, [1, 10_000], "most positions that may be open at once"),
});
export type DecisionTermName = keyof typeof DECISION_TERMS;
export type DecisionTerms = Readonly<Record<DecisionTermName, number>>;

/** Terms with what is not given filled in; a problem is returned as text for the caller to report. */
export function resolveDecisionTerms(
  given: Readonly<Partial<Record<DecisionTermName, number>>>,
): { terms: DecisionTerms; problem: null } | { terms: null; problem: string } {
  const terms = Object.fromEntries(
    Object.values(DECISION_TERMS).map((each) => [each.name, each.default]),
  ) as Record<DecisionTermName, number>;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DECISION_TERMS, name))
      return { terms: null, problem: `a decision has no term ${name}` };
    const [least, most] = DECISION_TERMS[name as DecisionTermName].range;
    if (!(value >= least && value <= most)) {
      return { terms: null, problem: `${name} must lie within ${least}..${most}, not ${value}` };
    }
    terms[name as DecisionTermName] = value;
  }
  if (terms.nearestStop > terms.furthestStop) {
    return { terms: null, problem: "nearestStop must not lie beyond furthestStop" };
  }
  return { terms, problem: null };
}
