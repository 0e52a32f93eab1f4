import type { TermGroup } from "./define.js";

const OWN = "general and financial English, weighed by hand; each word kept means the same in most headlines";

/** Single words that are good or bad news by themselves. */
export const WORDS: readonly TermGroup[] = [
  {
    name: "severe good news",
    role: "polar",
    weight: 2,
    source: OWN,
    verbs: "outperform outshine outsmart",
    nouns: "multibagger",
    words: `bullish upgraded blockbuster stellar breakthrough overweight blowout bull bulls bullishness
      outperformer outperformers upbeat`,
  },
  {
    name: "good news",
    role: "polar",
    weight: 1.3,
    source: OWN,
    verbs: `beat exceed surpass thrive flourish prosper excel bolster cheer brighten revive recoup buoy tout bag
      rejoice ok`,
    nouns: `tailwind breakout catalyst uptrend outperformance darling buyback`,
    words: `strong stronger strongest robust solid positive profitable attractive promising optimistic optimism confident
      favorable favourable buoyant resilient resilience impressive lucrative accretive undervalued bright rosy
      positively constructive boost boosts boosted strength profitability sparkling mettle oversubscribed upside
      upgrade upgrades bargain praises ideal`,
  },
  {
    name: "mild good news",
    role: "polar",
    weight: 0.8,
    source: OWN,
    verbs: "benefit aid enjoy achieve attain advance reward poise prefer resume succeed",
    nouns:
      "hope benefit opportunity partnership relief boom expansion gainer milestone success pick comeback",
    words: `good great well healthy popular efficient stable hot safe better hopeful likes warming traction highs peak
      above accelerating rewarding interesting approval approves approved win wins supportive cheap buying
      reasonable comfortable growth 🚀 📈 🐂 🔥 💎 🤑 💰 ✅`,
  },
  {
    name: "faint good news",
    role: "polar",
    weight: 0.4,
    source: OWN,
    verbs: "help support recommend lead settle expand",
    words: "best record buy deal excellent love nice award agreement green added synergies improve",
  },
  {
    name: "severe bad news",
    role: "polar",
    weight: -2.2,
    source: OWN,
    verbs: "default",
    nouns: "bankruptcy insolvency rout bloodbath defaulter",
    words: `bearish downgraded bankrupt insolvent underperform underweight selloff carnage turmoil bearishness crashed`,
  },
  {
    name: "bad news",
    role: "polar",
    weight: -1.4,
    source: OWN,
    verbs: `miss disappoint lag suffer struggle hurt falter stumble warn sue worsen deteriorate dump slash fade
      dilute batter hammer pummel hobble cripple erode dent wobble jeopardize derail unnerve spook dampen
      flounder languish slam criticize stretch`,
    nouns: `loss miss layoff lawsuit headwind laggard loser downside downtrend weakness warning writedown writeoff
      impairment slowdown crunch glut shortfall crash drag setback bust contagion recession bear backlash fraud scam
      arrear`,
    words: `weak weaker weakest poor sluggish negative disappointing disappointment dismal bleak gloomy grim
      worse worst dire subdued tepid lackluster lacklustre muted pessimistic pessimism unprofitable lossmaking
      overvalued distressed toxic stagnant stagnation tanks dragged dragging overbought overpriced choppy soft softer sour stinging
      unfavorable unfavourable liquidation crisis pain darker tougher risky cautious downgrade downgrades trouble`,
  },
  {
    name: "mild bad news",
    role: "polar",
    weight: -0.9,
    source: OWN,
    verbs: `hit fear threaten suspend halt lose shed pressure withdraw plague fret penalize freeze`,
    nouns: `concern worry fear threat uncertainty pressure outage recall failure penalty correction burden
      challenge probe scandal competition shortage strike shutdown`,
    words: `virus coronavirus outbreak pandemic low lows below caution cautiously volatile turbulent panic selling sell sells
      difficult tough slow slower unrest unemployment jobless oversupply bad badly ugly terrible awful expensive
      short troubled defensive flat woes adequate 📉 🐻 🩸 💀 😱 😡 🔻`,
  },
  {
    name: "faint bad news",
    role: "polar",
    weight: -0.5,
    source: OWN,
    verbs:
      "delay cancel reject block ban postpone oppose accuse allege question doubt resist avoid trim violate",
    nouns: "problem risk tension dispute protest investigation allegation tariff sanction resistance",
    words: "debt uncertain hard fine worried",
  },
];
