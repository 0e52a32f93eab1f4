import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { cashRules } from "../src/core/execution/account.js";
import { GTC_DAYS } from "../src/core/execution/context.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import type { Desk } from "../src/core/execution/desk.js";
import { tradedShare } from "../src/core/execution/instrument.js";
import { termsOf } from "../src/core/execution/order.js";
import { createLedger } from "../src/features/paper-trades/ledger.js";
import { createLedgerStore } from "../src/features/paper-trades/store.js";
import { createBus } from "../src/platform/bus.js";
import { readConfig } from "../src/platform/config.js";
import { createEventLog } from "../src/platform/event-log.js";
import { createMetrics } from "../src/platform/metrics.js";
import { openDatabase } from "../src/platform/open-database.js";
import { at, callsAt } from "./rate.js";
import type { Bench, Figure } from "./time.js";

const RATE = 200;
const SECONDS = 20;
const MOST_MS = 10;
const START_MS = Date.UTC(2024, 0, 2, 15);

/** An order that is filled at once, bought and sold in turns. */
function trade(desk: Desk, n: number): void {
  const refused = desk.submit(
    termsOf({ id: `o${n}`, symbol: "AAA", side: n % 2 === 0 ? "buy" : "sell", quantity: 1 }),
    { at: START_MS + n, open: true },
  );
  if (refused.length > 0) throw new Error(`order ${n} was refused: ${refused[0].code}`);
  desk.quote("AAA", { time: START_MS + n + 1, price: 100, bid: 100, ask: 100, regular: true });
}

/** The embedded Postgres, or DATABASE_URL's, in a folder that is removed afterwards. */
export const bench: Bench = {
  name: "ledger",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "tx-bench-"));
    const url = process.env.DATABASE_URL;
    const config = readConfig({ DATA_DIR: folder, ...(url === undefined ? {} : { DATABASE_URL: url }) });
    const log = pino({ level: "silent" });
    const opened = await openDatabase(config, log, createMetrics("bench"));
    try {
      const { database } = opened;
      const store = createLedgerStore(database);
      const eventLog = createEventLog(
        database,
        createBus(() => undefined),
        log,
      );
      const ledger = createLedger({ database, store, eventLog });
      const rules = { account: cashRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS };
      const { id } = await store.open({
        userId: "bench",
        name: "Bench",
        rules,
        synthetic: true,
        cashFloor: 0,
        openedAt: START_MS,
      });
      await ledger.act(id, {
        run(desk) {
          desk.list(tradedShare("AAA"));
          desk.mark("AAA", 100);
          desk.transfer(100_000, START_MS);
        },
      });
      await callsAt(RATE, RATE, (n) => ledger.act(id, { run: (desk) => trade(desk, n) }));
      const times = await callsAt(RATE, RATE * SECONDS, (n) =>
        ledger.act(id, { run: (desk) => trade(desk, RATE + n) }),
      );
      const found = await ledger.verify(id);
      const figures: Figure[] = [
        {
          name: `order to commit at ${RATE} orders/s on one account, p50`,
          value: at(times, 0.5),
          unit: "ms",
        },
        {
          name: "the same, p99",
          value: at(times, 0.99),
          unit: "ms",
          target: { text: `<= ${MOST_MS}`, met: at(times, 0.99) <= MOST_MS },
        },
        { name: "the same, the slowest", value: at(times, 1), unit: "ms" },
        {
          name: `disagreements of ledger and rows after ${times.length} orders`,
          value: found.length,
          unit: "",
        },
      ];
      return [{ row: "L1", title: opened.kind, notes: [], figures }];
    } finally {
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
