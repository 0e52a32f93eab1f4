/**
 * The floors of the house, lowest first. A file imports from its own folder and from folders on strictly
 * lower floors; folders on one floor do not see each other. `test/house/floors.test.ts` enforces this table.
 */
export interface Floor {
  readonly folders: readonly string[];
  /** When given, only these lower folders may be imported. */
  readonly sees?: readonly string[];
}

export const FLOORS: readonly Floor[] = [
  { folders: ["core/base"] },
  { folders: ["core/market"] },
  { folders: ["core/indicators", "core/ticks", "core/execution", "core/quality"] },
  { folders: ["core/patterns", "core/regime", "core/sentiment", "core/options"] },
  { folders: ["core/performance"], sees: ["core/base", "core/market", "core/execution"] },
  { folders: ["core/signals", "core/synergy"] },
  {
    folders: ["core/rules"],
    sees: ["core/base", "core/market", "core/indicators", "core/patterns", "core/regime"],
  },
  { folders: ["core/risk", "core/learning"] },
  { folders: ["core/strategies"] },
  { folders: ["core/backtest"] },
  { folders: ["platform"], sees: ["core/base", "core/market"] },
  { folders: ["providers"], sees: ["core/base", "core/market", "platform"] },
  { folders: ["features/users", "features/instruments"] },
  { folders: ["features/candles", "features/news", "features/jobs"] },
  {
    folders: [
      "features/watchlists",
      "features/models",
      "features/catalogue",
      "features/quality",
      "features/options",
      "features/market",
      "features/evidence",
      "features/regimes",
    ],
  },
  { folders: ["features/detections", "features/analysis", "features/backtests", "features/sentiment"] },
  { folders: ["features/alerts", "features/signals", "features/risk", "features/rules"] },
  { folders: ["features/paper-trades", "features/notifications", "features/explain"] },
  { folders: ["features/outcomes", "features/performance", "features/pipeline", "features/hooks"] },
  { folders: ["features/scanner", "features/stream", "features/retraining"] },
  { folders: ["protocols/alpaca", "protocols/udf", "protocols/mcp", "protocols/socketio"] },
  { folders: ["server"] },
  { folders: ["compose-base.ts"] },
  { folders: ["compose-market.ts"] },
  { folders: ["app-parts.ts"] },
  { folders: ["app-protocols.ts"] },
  { folders: ["app.ts", "compose.ts"] },
  { folders: ["main.ts"] },
];

/** Folders at or above this index do I/O; those below it are pure. */
export const WATERLINE = FLOORS.findIndex((floor) => floor.folders.includes("platform"));
