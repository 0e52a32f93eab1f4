/** A column of a table: the field of its rows, its heading, and how OpenBB shows its values. */
interface Column {
  readonly field: string;
  readonly headerName: string;
  readonly cellDataType: "text" | "number" | "boolean" | "date" | "dateString";
}

interface WidgetParameter {
  readonly paramName: string;
  readonly type: "text" | "number" | "ticker";
  readonly value: string | number;
  readonly label: string;
  readonly description: string;
}

/** A widget of OpenBB Workspace. */
export interface Widget {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly type: "table" | "advanced_charting";
  readonly endpoint: string;
  readonly gridData: { readonly w: number; readonly h: number };
  readonly source: readonly string[];
  readonly params: readonly WidgetParameter[];
  readonly data:
    | { readonly defaultSymbol: string; readonly updateFrequency: number }
    | {
        /** Where the rows are in the answer. */
        readonly dataKey: string;
        readonly table: { readonly showAll: false; readonly columnsDefs: readonly Column[] };
      };
}

/** A table as it is written below. */
interface Table {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly endpoint: string;
  readonly dataKey: string;
  /** Rows that are asked for; null where the endpoint has no limit. */
  readonly limit: number | null;
  readonly columns: readonly Column[];
}

const text = (field: string, headerName: string): Column => ({ field, headerName, cellDataType: "text" });
const figure = (field: string, headerName: string): Column => ({
  field,
  headerName,
  cellDataType: "number",
});
const moment = (field: string, headerName: string): Column => ({
  field,
  headerName,
  cellDataType: "dateString",
});
const flag = (field: string, headerName: string): Column => ({
  field,
  headerName,
  cellDataType: "boolean",
});

const SYMBOL = text("symbol", "Symbol");
const SYNTHETIC = flag("synthetic", "Synthetic");

/** Tables over what is served anyway, by the name of their widget. */
const TABLES: Readonly<Record<string, Table>> = {
  tx_alerts: {
    name: "Alerts",
    description: "Signals that passed the rules, the newest first",
    category: "Signals",
    endpoint: "/api/alerts",
    dataKey: "data",
    limit: 100,
    columns: [
      moment("timestamp", "Raised"),
      SYMBOL,
      text("interval", "Interval"),
      text("alert_type", "Pattern"),
      text("direction", "Direction"),
      figure("price", "Price"),
      figure("confidence", "Confidence"),
      text("quality_badge", "Quality"),
      text("status", "Status"),
      text("source", "Source"),
      SYNTHETIC,
    ],
  },
  tx_detections: {
    name: "Detections",
    description: "Patterns on closed bars, the newest first; confidence is empty while there is no evidence",
    category: "Signals",
    endpoint: "/api/detection_logs",
    dataKey: "data.logs",
    limit: 100,
    columns: [
      moment("closed_at", "Closed"),
      SYMBOL,
      text("interval", "Interval"),
      text("pattern_name", "Pattern"),
      text("direction", "Direction"),
      text("state", "State"),
      figure("quality", "Quality"),
      figure("confidence", "Confidence"),
      figure("price", "Price"),
      text("source", "Source"),
      SYNTHETIC,
    ],
  },
  tx_decisions: {
    name: "Decisions",
    description: "What the rules said of each candidate for an alert, and which of them refused",
    category: "Signals",
    endpoint: "/api/decisions",
    dataKey: "data",
    limit: 100,
    columns: [
      moment("decided_at", "Decided"),
      SYMBOL,
      text("interval", "Interval"),
      text("pattern", "Pattern"),
      flag("accepted", "Accepted"),
      text("rule", "Refused by"),
    ],
  },
  tx_evidence: {
    name: "Evidence",
    description: "What came of the trades on each pattern, by interval and regime",
    category: "Signals",
    endpoint: "/api/patterns/evidence",
    dataKey: "data",
    limit: 100,
    columns: [
      text("pattern", "Pattern"),
      text("interval", "Interval"),
      text("regime", "Regime"),
      text("status", "Status"),
      figure("n", "Trades"),
      figure("hit_rate", "Hit rate"),
      figure("base_rate", "Base rate"),
      figure("confidence", "Confidence"),
    ],
  },
  tx_market: {
    name: "Market scan",
    description: "Quotes of the scanned symbols, the liveliest first",
    category: "Market",
    endpoint: "/api/market-scan",
    dataKey: "data",
    limit: 50,
    columns: [
      SYMBOL,
      figure("price", "Price"),
      figure("change", "Change"),
      figure("change_percent", "Change %"),
      figure("high", "High"),
      figure("low", "Low"),
      figure("volume", "Volume"),
      text("source", "Source"),
      flag("stale", "Stale"),
      SYNTHETIC,
    ],
  },
  tx_sectors: {
    name: "Sectors",
    description: "The eleven sector funds, the strongest first",
    category: "Market",
    endpoint: "/api/market/sectors",
    dataKey: "data.sectors",
    limit: null,
    columns: [
      figure("rank", "Rank"),
      text("sector", "Sector"),
      SYMBOL,
      figure("price", "Price"),
      figure("change_percent", "Change %"),
      text("source", "Source"),
      SYNTHETIC,
    ],
  },
  tx_news: {
    name: "News",
    description: "News and posts that sources gave, the newest first",
    category: "Market",
    endpoint: "/api/news",
    dataKey: "data",
    limit: 50,
    columns: [
      moment("published_at", "Published"),
      text("publisher", "Publisher"),
      text("title", "Title"),
      text("url", "Address"),
      text("source", "Source"),
    ],
  },
  tx_trades: {
    name: "Paper trades",
    description: "Trades of the paper account, and what they come to",
    category: "Portfolio",
    endpoint: "/api/paper-trades",
    dataKey: "data",
    limit: 100,
    columns: [
      moment("opened_at", "Opened"),
      SYMBOL,
      text("side", "Side"),
      figure("quantity", "Quantity"),
      figure("entry_price", "Entry"),
      figure("current_price", "Now"),
      figure("exit_price", "Exit"),
      figure("pnl", "Result"),
      text("status", "Status"),
      SYNTHETIC,
    ],
  },
  tx_daily: {
    name: "Results by day",
    description: "What the trades closed on each date came to",
    category: "Portfolio",
    endpoint: "/api/performance/daily",
    dataKey: "data",
    limit: null,
    columns: [
      moment("date", "Date"),
      figure("total_trades", "Trades"),
      figure("win_rate", "Win rate"),
      figure("gross_pnl", "Gross"),
      figure("net_pnl", "Net"),
      figure("max_drawdown", "Drawdown"),
    ],
  },
};

const CHART = "tx_chart";
const CHART_EVERY_MS = 60_000;

/** The widgets by their names. @param defaultSymbol which the chart shows at first. */
export function widgetsOf(defaultSymbol: string): Record<string, Widget> {
  const chart: Widget = {
    name: "Chart",
    description: "Closed bars with detections and alerts as marks",
    category: "Market",
    type: "advanced_charting",
    endpoint: "/udf",
    gridData: { w: 40, h: 20 },
    source: ["TX"],
    params: [],
    data: { defaultSymbol, updateFrequency: CHART_EVERY_MS },
  };
  const tables = Object.entries(TABLES).map(([id, table]): [string, Widget] => [id, tableWidget(table)]);
  return { [CHART]: chart, ...Object.fromEntries(tables) };
}

function tableWidget({ name, description, category, endpoint, dataKey, limit, columns }: Table): Widget {
  const rows: WidgetParameter = {
    paramName: "limit",
    type: "number",
    value: limit ?? 0,
    label: "Rows",
    description: "Rows at most",
  };
  return {
    name,
    description,
    category,
    type: "table",
    endpoint,
    gridData: { w: 40, h: 14 },
    source: ["TX"],
    params: limit === null ? [] : [rows],
    data: { dataKey, table: { showAll: false, columnsDefs: columns } },
  };
}

export interface DashboardTab {
  readonly id: string;
  readonly name: string;
  readonly layout: readonly {
    readonly i: string;
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  }[];
}

/** A dashboard of OpenBB Workspace: widgets on tabs. */
export interface Dashboard {
  readonly name: string;
  readonly description: string;
  readonly img: string;
  readonly allowCustomization: true;
  readonly tabs: Readonly<Record<string, DashboardTab>>;
  readonly groups: readonly never[];
}

/** Grid of the workspace: so many columns across. */
const WIDTH = 40;

/** Widgets of a tab, one below the other. */
function tabOf(id: string, name: string, rows: readonly (readonly [widget: string, height: number])[]) {
  let y = 0;
  const layout = rows.map(([i, h]) => {
    const place = { i, x: 0, y, w: WIDTH, h };
    y += h;
    return place;
  });
  return { id, name, layout };
}

export function dashboards(): Dashboard[] {
  const tabs = [
    tabOf("chart", "Chart", [
      [CHART, 20],
      ["tx_alerts", 12],
    ]),
    tabOf("signals", "Signals", [
      ["tx_detections", 14],
      ["tx_decisions", 12],
      ["tx_evidence", 14],
    ]),
    tabOf("market", "Market", [
      ["tx_market", 14],
      ["tx_sectors", 12],
      ["tx_news", 14],
    ]),
    tabOf("portfolio", "Portfolio", [
      ["tx_trades", 14],
      ["tx_daily", 14],
    ]),
  ];
  return [
    {
      name: "TX",
      description: "Charts with patterns and alerts, what the rules decided, the market, and paper trades",
      img: "",
      allowCustomization: true,
      tabs: Object.fromEntries(tabs.map((tab) => [tab.id, tab])),
      groups: [],
    },
  ];
}
