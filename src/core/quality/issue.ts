/** How bad: a critical datum is kept from detection and trading, a warning is told, an info is counted. */
export type Severity = "critical" | "warning" | "info";

export type Category =
  | "invalid_data"
  | "order"
  | "price_scale"
  | "corporate_action"
  | "missing_data"
  | "stale_data"
  | "strike_filtering"
  | "feed_health";

/** Everything that the monitor may find. */
export const ISSUES = {
  time_invalid: { category: "invalid_data", title: "The time is not a number" },
  price_not_finite: { category: "invalid_data", title: "A price is missing or not a finite number" },
  price_not_positive: { category: "invalid_data", title: "A price is not above 0" },
  high_below_low: { category: "invalid_data", title: "The high is below the low" },
  price_out_of_range: { category: "invalid_data", title: "Open or close lies outside high and low" },
  volume_invalid: { category: "invalid_data", title: "The volume is negative or not a finite number" },
  quote_crossed: { category: "invalid_data", title: "The bid is above the ask" },
  option_above_bound: {
    category: "invalid_data",
    title: "An option costs more than its underlying or its strike",
  },
  option_trade_above_bound: {
    category: "invalid_data",
    title: "An option last traded above its underlying or its strike",
  },
  option_figures_impossible: {
    category: "invalid_data",
    title: "Greeks or a volatility of an option cannot be",
  },
  leg_invalid: { category: "invalid_data", title: "An option's quote cannot stand" },
  contradicting_legs: { category: "order", title: "Two quotes of one option differ" },
  open_interest_negative: { category: "invalid_data", title: "An open interest is below 0" },
  row_refused: { category: "invalid_data", title: "A row cannot be a bar, as its source says" },
  other_instrument: { category: "invalid_data", title: "The prices are those of another instrument" },
  file_unused: { category: "invalid_data", title: "A file is not used" },
  repeated_row: { category: "order", title: "A row stands there twice" },
  contradicting_rows: { category: "order", title: "Two rows of one time differ" },
  out_of_order: { category: "order", title: "Times do not ascend" },
  future: { category: "order", title: "The time lies in the future" },
  off_session: { category: "order", title: "The exchange was closed at the time of the bar" },
  scale_slip: { category: "price_scale", title: "Prices are off by a factor of 100" },
  level_break: {
    category: "price_scale",
    title: "Prices are away from the level of their series by a factor of 60 or more",
  },
  large_move: { category: "price_scale", title: "The price moved by more than 40 % between two bars" },
  out_of_band: { category: "price_scale", title: "The price lies outside the band learned from its history" },
  split_unapplied: { category: "corporate_action", title: "Prices before a split are not adjusted for it" },
  split_applied_twice: {
    category: "corporate_action",
    title: "Prices given as raw are adjusted for a split",
  },
  split_suspected: {
    category: "corporate_action",
    title: "A jump looks like a split that is not known, or not in the prices",
  },
  split_listed_twice: { category: "corporate_action", title: "A split is listed more than once" },
  large_dividend: {
    category: "corporate_action",
    title: "A dividend is more than 20 % of the close before it",
  },
  flat: { category: "missing_data", title: "Bars without range" },
  no_volume: { category: "missing_data", title: "Bars without volume" },
  frozen: { category: "stale_data", title: "Bars repeat the one before, volume and all" },
  gap: { category: "missing_data", title: "Bars are missing" },
  field_missing: { category: "missing_data", title: "A field is missing" },
  no_strikes: { category: "strike_filtering", title: "No strike is left" },
  strikes_removed: { category: "strike_filtering", title: "Many strikes were removed" },
  strikes_unbalanced: { category: "strike_filtering", title: "There are not as many calls as puts" },
  stale: { category: "stale_data", title: "The data are old" },
  slow_feed: { category: "feed_health", title: "The source answers slowly" },
  stream_down: { category: "feed_health", title: "A stream of trades is not connected" },
  stream_silent: { category: "feed_health", title: "A stream of trades is silent" },
  failing_feed: { category: "feed_health", title: "The source fails often" },
} as const satisfies Record<string, { category: Category; title: string }>;

export type IssueCode = keyof typeof ISSUES;

/** Something found in data, or in how they arrive. */
export interface Issue {
  readonly code: IssueCode;
  readonly severity: Severity;
  /** What it was found in: a symbol, or the name of a source. */
  readonly subject: string;
  /** What was found, with the values behind it. */
  readonly detail: string;
  /** Time of the first datum concerned, epoch ms; null where it has none. */
  readonly time: number | null;
  /** Data concerned. */
  readonly count: number;
}
