import type { TermGroup } from "./define.js";

const MARKET = "headline English of price and results reports; strength by the size the verb suggests";

/** What goes up or down, and the things that do. */
export const MOVES: readonly TermGroup[] = [
  {
    name: "large rises",
    role: "move",
    weight: 2.2,
    alone: 0.8,
    source: MARKET,
    verbs:
      "surge soar skyrocket rocket zoom spike leap jump rally explode boom catapult vault double triple quadruple",
    nouns: "upsurge",
    phrases: "{shoot} up; {take} off; {go} parabolic; {swing} to profit",
  },
  {
    name: "rises",
    role: "move",
    weight: 1.5,
    alone: 0.8,
    source: MARKET,
    verbs:
      "rise climb gain grow rebound recover bounce strengthen accelerate expand improve swell ascend outpace",
    nouns: "upswing uptick upturn upmove recovery",
    words: "up higher improvement acceleration firmed firmer firming advances advancing",
    phrases: "{edge} up|higher; {inch} up|higher; {pick} up; {perk} up; {move} up|higher; {snap} back",
  },
  {
    name: "raising",
    role: "move",
    weight: 1.4,
    source: `${MARKET}; the object says what is raised`,
    object: true,
    alone: 0.4,
    verbs: "raise lift boost hike increase bump top",
    words: "ups upped",
  },
  {
    name: "large falls",
    role: "move",
    weight: -2.2,
    alone: 0.8,
    source: MARKET,
    verbs: "plunge plummet crash tumble crater nosedive collapse slump sink tank dive slide swoon crumble",
    nouns: "rout meltdown freefall",
    words: "cratering",
    phrases: "{fall} off a cliff; {free} fall; {swing} to loss",
  },
  {
    name: "falls",
    role: "move",
    weight: -1.6,
    alone: 0.8,
    source: MARKET,
    verbs: "fall drop decline slip dip retreat weaken soften skid sag decrease decelerate slow drift",
    nouns: "downturn downswing pullback selloff slowdown downtick contraction slippage",
    words: "down lower contracted decreasing deceleration lag lags lagged lagging",
    phrases: "{edge} down|lower; {inch} down|lower; {pull} back; {move} down|lower; {back} off; sell off",
  },
  {
    name: "lowering",
    role: "move",
    weight: -1.5,
    source: `${MARKET}; the object says what is lowered`,
    object: true,
    alone: 0.4,
    words: "lowers lowered lowering",
    verbs: "cut trim slash reduce pare shave curtail shed",
    phrases: "{scale} back; {dial} back; {bring} down; {cut} back",
  },
  {
    name: "narrowing",
    role: "move",
    weight: -1.5,
    source: "said of gaps and losses more than of gains, so faint by itself",
    object: true,
    alone: 0.2,
    verbs: "narrow ease cool shrink lessen abate subside moderate halve",
  },
  {
    name: "widening",
    role: "move",
    weight: 1.5,
    source: "said of gaps and losses more than of gains, so faint by itself",
    object: true,
    alone: 0.2,
    verbs: "widen deepen mount balloon escalate",
  },
  {
    name: "more is good",
    role: "metric",
    weight: 1,
    source: "lines of income statements, price terms and macro series of which more is better for owners",
    nouns: `profit revenue sale earning share stock price margin dividend forecast target order income turnover
      estimate volume backlog index future bond subscriber user customer output production export rupee
      booking shipment payout stake rating outlook view consensus market equity asset`,
    words:
      "eps guidance net ebitda pat pbt revs pt demand cashflow gdp growth confidence sentiment sensex nifty dow nasdaq s&p employment hiring payrolls outlook output cash yield topline bottomline comps aum nav roe roi",
  },
  {
    name: "more is bad",
    role: "metric",
    weight: -1,
    source: "lines of income statements, credit and macro series of which more is worse for owners",
    nouns: `loss cost expense debt deficit liability provision default delinquency claim death infection
      layoff tax fine penalty delay shortage glut stockpile inventory risk fear tension worry concern uncertainty
      outflow leverage impairment writedown writeoff charge complaint bankruptcy restriction
      tariff duty lawsuit burden churn defection headwind redemption case`,
    words: "inflation unemployment npa npas volatility vix supply opex cpi wpi deaths",
  },
];
