import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createTestDatabase } from "../fixtures/database.js";
import { spawnProgram } from "../fixtures/process.js";
import { sized } from "../fixtures/sizes.js";

const NOW = "2024-03-12T15:07:20Z";

/** What the process's own clock shows at the epoch, to see that TZ took effect. */
const HOUR_AT_EPOCH = sized<Readonly<Record<string, number>>>({
  usual: { "America/New_York": 19, "Asia/Kolkata": 5 },
  full: { UTC: 0, "America/New_York": 19, "Asia/Kolkata": 5, "Pacific/Apia": 13 },
});

/** Rows of a wave from an instant on, each so much later. */
function rows(first: string, stepMs: number, count: number, write: (ms: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => {
    const close = 100 + 10 * Math.sin(i / 7);
    const prices = [close - 0.5, close + 1, close - 1, close].map((price) => price.toFixed(2));
    return `${write(Date.parse(first) + i * stepMs)},${prices.join(",")},100`;
  });
}
const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const instant = (ms: number) => new Date(ms).toISOString();

/** Days and minutes around the change of clocks of 10 March 2024, in dates, instants and epoch seconds. */
function writeFiles(folder: string): void {
  const write = (name: string, lines: readonly string[]) =>
    writeFileSync(join(folder, name), `${["timestamp,open,high,low,close,volume", ...lines].join("\n")}\n`);
  write("AAPL-1d.csv", rows("2023-10-02T00:00Z", 86_400_000, 160, date));
  write("MSFT-1m.csv", rows("2024-03-08T14:00Z", 60_000, 6_000, instant));
  write("TCS.NS-1d.csv", rows("2023-10-02T00:00Z", 86_400_000, 160, date));
  write(
    "BTC-USD-5m.csv",
    rows("2024-03-09T00:00Z", 300_000, 900, (ms) => String(ms / 1_000)),
  );
  writeFileSync(
    join(folder, "actions.csv"),
    "symbol,ex_date,kind,ratio,amount\nAAPL,2024-03-11,split,2,\nAAPL,2023-11-06,dividend,,0.5\n",
  );
}

const ADDRESSES = [
  ...["raw", "split", "all"].map((view) => `/api/candles/AAPL?limit=200&adjustment=${view}`),
  "/api/candles?symbol=AAPL&interval=1wk&period=6mo",
  "/api/historical/AAPL?from=2024-03-01&to=2024-03-12&as_of=2024-03-11T12:00:00Z",
  "/api/candles/AAPL/gaps",
  ...["1m", "15m", "1h", "4h", "1d"].map((interval) => `/api/candles/MSFT?interval=${interval}&limit=500`),
  "/api/intraday/MSFT?interval=5m&days=2",
  "/api/candles/TCS.NS?limit=60",
  "/api/candles/TCS.NS?limit=60&interval=1wk",
  "/api/candles/BTC?interval=4h",
  "/api/market/MSFT",
  "/api/market-data/AAPL",
  "/api/indicators/AAPL?names=rsi,sma(20)&limit=50",
];

/** Its clock stands still, and it says what hour it shows at the epoch. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(
  `Date.now = () => ${Date.parse(NOW)}; console.log(JSON.stringify({ msg: "zone", hour: new Date(0).getHours() }));`,
)}`;

async function answersIn(zone: string, folder: string) {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), "tx-zones-data-"));
  const child = spawnProgram(
    {
      ...{ TZ: zone, DATABASE_URL: database.url, DATA_DIR: dataDir, FILES_DIR: folder },
      ...{ MARKET_DATA: "files", RATE_LIMIT_MULTIPLIER: "10000" },
    },
    ["--import", PRELOAD],
  );
  try {
    const address = await child.listening();
    const answers: { url: string; status: number; body: string }[] = [];
    for (const url of ADDRESSES) {
      const answer = await fetch(`${address}${url}`);
      answers.push({ url, status: answer.status, body: await answer.text() });
    }
    const { hour } = await child.logged("zone");
    return { hour, answers };
  } finally {
    child.kill("SIGTERM");
    await child.ended();
    await database.drop();
    rmSync(dataDir, { recursive: true });
  }
}

it("answers about candles do not depend on the time zone of the process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tx-zones-"));
  try {
    writeFiles(folder);
    const seen: { hour: unknown; answers: { url: string; status: number; body: string }[] }[] = [];
    for (const zone of Object.keys(HOUR_AT_EPOCH)) seen.push(await answersIn(zone, folder));
    expect(seen.map(({ hour }) => hour)).toEqual(Object.values(HOUR_AT_EPOCH));
    const [first, ...others] = seen;
    expect(first.answers.filter(({ status }) => status !== 200)).toEqual([]);
    for (const { answers } of others) expect(answers).toEqual(first.answers);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 240_000);
