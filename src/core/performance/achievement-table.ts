export const RARITIES = ["common", "uncommon", "rare", "epic", "legendary"] as const;
export type Rarity = (typeof RARITIES)[number];

/** What achievements count. No event makes any of it less, so that what is unlocked stays so. */
export const MEASURES = [
  "opened",
  "closed",
  "wins",
  /** Patterns and symbols of closed trades, and dates with an exit, each counted once. */
  "patterns",
  "symbols",
  "days",
  /** Sides, long and short, that a trade has gained on. */
  "sides",
  /** Trades that their stop or their target closed. */
  "planned",
  /** Most winning trades in a row. */
  "run",
  /** Gains that follow on three losses in a row. */
  "comebacks",
  /** Largest net of a trade without its sign, and most that all trades had gained together, in whole units of the account's currency. */
  "move",
  "gain",
  /** Most whole days that a winning trade was held. */
  "patience",
] as const;
export type Measure = (typeof MEASURES)[number];

export interface Achievement {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly icon: string;
  readonly rarity: Rarity;
  readonly rewardXp: number;
  readonly measure: Measure;
  /** Unlocked from here on. */
  readonly target: number;
}

function row(
  id: string,
  title: string,
  description: string,
  icon: string,
  rarity: Rarity,
  rewardXp: number,
  measure: Measure,
  target: number,
): Achievement {
  return Object.freeze({ id, name: title, title, description, icon, rarity, rewardXp, measure, target });
}

export const ACHIEVEMENTS: readonly Achievement[] = Object.freeze([
  row("first_trade", "First trade", "Open a trade", "🎯", "common", 50, "opened", 1),
  row("first_win", "First win", "Close a trade with a profit", "✅", "common", 50, "wins", 1),
  row("ten_wins", "Ten wins", "Close ten trades with a profit", "📈", "uncommon", 150, "wins", 10),
  row("thirty_days", "Regular", "Close trades on thirty days", "📅", "rare", 400, "days", 30),
  row("five_patterns", "Pattern hunter", "Trade on five patterns", "🔍", "uncommon", 150, "patterns", 5),
  row("big_move", "Big move", "Gain or lose 100 in one trade", "💥", "uncommon", 100, "move", 100),
  row("five_in_a_row", "On fire", "Win five trades in a row", "🔥", "rare", 250, "run", 5),
  row("ten_in_a_row", "Unstoppable", "Win ten trades in a row", "🏆", "epic", 600, "run", 10),
  row("hundred_trades", "Veteran", "Close a hundred trades", "🎖️", "rare", 400, "closed", 100),
  row("thousand_gained", "Four digits", "Be up by 1,000 over all trades", "💰", "epic", 500, "gain", 1_000),
  row("ten_symbols", "Wide net", "Close trades in ten symbols", "🌐", "uncommon", 150, "symbols", 10),
  row("both_ways", "Both ways", "Win on a long and on a short trade", "↕️", "uncommon", 150, "sides", 2),
  row("to_plan", "To plan", "Have 25 trades closed by stop or target", "🧭", "rare", 300, "planned", 25),
  row("comeback", "Comeback", "Win after three losses in a row", "🔄", "uncommon", 150, "comebacks", 1),
  row(
    "patience",
    "Patience",
    "Win a trade that was held for 30 days",
    "⏳",
    "legendary",
    800,
    "patience",
    30,
  ),
]);
