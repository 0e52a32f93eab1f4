import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { unpacked } from "../fixtures/options.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { sharedPath } from "../fixtures/shared.js";

const FILES = {
  nse: sharedPath("data", "options", "nse-NIFTY-2022-03-28.json.gz"),
  upstox: sharedPath("data", "options", "upstox-NIFTY-chain-spot23593.5.json.gz"),
  aapl: sharedPath("data", "options", "lean-AAPL-chain-20140605-20140611.csv.gz"),
  goog: sharedPath("data", "options", "lean-GOOG-chain-20151223-20151224.csv.gz"),
  nwsa: sharedPath("data", "options", "lean-NWSA-chain-20130625-20130702.csv.gz"),
  values: sharedPath("data", "reference", "black-scholes-values.csv"),
  greeks: sharedPath("data", "reference", "black-scholes-greeks.csv"),
};

/** Whether all recorded chains and published values are beside this checkout. */
export const complete = Object.values(FILES).every((path) => path !== null);

export const fileText = (name: keyof typeof FILES): string => unpacked(FILES[name] ?? "");

export type Row = Readonly<Record<string, string>>;

export function table(name: keyof typeof FILES): Row[] {
  const [head, ...lines] = fileText(name).trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i], cell])));
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** `31-Mar-2022` as `2022-03-31`. */
export function nseDate(text: string): string {
  const [day, month, year] = text.split("-");
  return `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${day}`;
}

/** What the exchange says of one option. */
export interface NseLeg {
  readonly openInterest: number;
  readonly changeinOpenInterest: number;
  readonly totalTradedVolume: number;
  readonly impliedVolatility: number;
  readonly lastPrice: number;
  readonly bidprice: number;
  readonly askPrice: number;
}

/** The exchange's own answer as the body of a request. */
export function nseBody() {
  const { records } = JSON.parse(fileText("nse"));
  const quotes = records.data.flatMap((row: Readonly<Record<string, unknown>>) =>
    (["CE", "PE"] as const).flatMap((side) => {
      const leg = row[side] as NseLeg | undefined;
      if (leg === undefined) return [];
      return {
        expiry: nseDate(String(row.expiryDate)),
        strike: Number(row.strikePrice),
        right: side === "CE" ? "call" : "put",
        last: leg.lastPrice,
        bid: leg.bidprice,
        ask: leg.askPrice,
        volume: leg.totalTradedVolume,
        oi: leg.openInterest,
        prev_oi: leg.openInterest - leg.changeinOpenInterest,
        iv: leg.impliedVolatility / 100,
      };
    }),
  );
  return {
    symbol: "NIFTY",
    time: "2022-03-28T10:47:19+05:30",
    spot: records.underlyingValue,
    source: "nse",
    quotes,
  };
}

/** A program over files that know nothing of options, so that all chains are those that are loaded. */
export function useDeskProgram() {
  let program: TestProgram;
  const folder = complete ? mkdtempSync(join(tmpdir(), "tx-desk-")) : "";
  beforeAll(async () => {
    if (!complete) return;
    writeFileSync(join(folder, "AAPL.csv"), "date,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n");
    program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  });
  afterAll(async () => {
    if (!complete) return;
    await program.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** The data of an answer. @throws what the answer says, unless it is 200. */
  async function dataOf(request: Parameters<TestProgram["call"]>[0]) {
    const answer = await program.call(request);
    if (answer.statusCode !== 200) throw new Error(answer.body.slice(0, 500));
    return answer.json().data;
  }
  return {
    get: (url: string) => dataOf(url),
    load: (payload: object) => dataOf({ method: "POST", url: "/api/options/snapshots", payload }),
  };
}
