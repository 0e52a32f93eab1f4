/** What the server can do, by the groups that existing clients show. `planned` is not there yet. */
export interface Capability {
  readonly group: "trading_capabilities" | "analytics" | "real_time_features";
  readonly name: string;
  readonly status: "active" | "planned";
  readonly description: string;
}

export const CAPABILITIES: readonly Capability[] = Object.freeze([
  {
    group: "trading_capabilities",
    name: "paper_trading",
    status: "planned",
    description: "Orders, fills and positions on paper",
  },
  {
    group: "trading_capabilities",
    name: "backtesting",
    status: "planned",
    description: "Strategies on history",
  },
  {
    group: "analytics",
    name: "indicators",
    status: "active",
    description: "Technical indicators on closed bars",
  },
  {
    group: "analytics",
    name: "detection_statistics",
    status: "active",
    description: "Counts of stored detections",
  },
  { group: "analytics", name: "sentiment", status: "active", description: "Scores of news and posts" },
  {
    group: "real_time_features",
    name: "websocket",
    status: "active",
    description: "Alerts, scans and candles on /ws",
  },
  {
    group: "real_time_features",
    name: "scanner",
    status: "active",
    description: "Patterns on every closed bar",
  },
  {
    group: "real_time_features",
    name: "alerts",
    status: "active",
    description: "Detections that passed every rule",
  },
]);
