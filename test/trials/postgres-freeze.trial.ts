import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countStatuses, quantile, startLoad } from "./load.js";
import { startProcess, type TxProcess } from "./process.js";

const FROZEN_MS = Number(process.env.TRIAL_FROZEN_MS ?? 20_000);
const PATHS = [
  "/api/get_active_alerts",
  "/api/detection_logs?limit=20",
  "/api/market/BTC-USD",
  "/api/candles/ETH-USD?timeframe=5m&limit=50",
  "/api/scan/status",
  "/api/alerts/stats",
  "/readyz",
];

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let folder: string;
let program: TxProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
  program = await startProcess({
    DATA_DIR: folder,
    RATE_LIMIT_MULTIPLIER: "10000",
    BACKEND_SCAN_INTERVAL: "5",
  });
  await program.seen(({ msg }) => msg === "scan finished");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The postmaster and all its children. */
function postgresPids(): string[] {
  const postmaster = readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8").split("\n")[0];
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", postmaster], { encoding: "utf8" });
  return [postmaster, ...children.split("\n").map((line) => line.trim())].filter((pid) => pid !== "");
}

describe("Postgres", () => {
  it(`frozen for ${FROZEN_MS / 1_000} s under load`, async () => {
    const load = startLoad(program.url, PATHS, 16, 5);
    await sleep(3_000);
    const frozenAt = load.answers.at(-1)?.atMs ?? 0;
    const pids = postgresPids();
    execFileSync("kill", ["-STOP", ...pids]);
    await sleep(FROZEN_MS);
    const thawedAt = load.answers.at(-1)?.atMs ?? 0;
    execFileSync("kill", ["-CONT", ...pids]);
    await sleep(10_000);
    const answers = await load.stop();

    const frozen = answers.filter(({ atMs }) => atMs > frozenAt && atMs <= thawedAt + 100);
    const refused = answers.filter(({ status }) => status !== 200);
    const slowest = Math.max(...answers.map(({ ms }) => ms));
    const lastRefusal = Math.max(...refused.map(({ atMs }) => atMs));
    const recoveryMs = lastRefusal - thawedAt;
    const refusalTimes = refused.map(({ ms }) => ms);
    process.stdout.write(
      `before and after: ${JSON.stringify(countStatuses(answers.filter((a) => a.atMs <= frozenAt || a.atMs > lastRefusal)))}; ` +
        `frozen: ${frozen.length} answers ${JSON.stringify(countStatuses(frozen))}, slowest ${slowest.toFixed(0)} ms, ` +
        `refusals p50 ${quantile(refusalTimes, 0.5).toFixed(1)} ms, p99 ${quantile(refusalTimes, 0.99).toFixed(0)} ms; ` +
        `normal ${Math.max(0, recoveryMs).toFixed(0)} ms after the thaw\n`,
    );
    expect(slowest).toBeLessThan(5_000);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    expect(refused.filter(({ retryAfter }) => retryAfter === undefined)).toEqual([]);
    expect(recoveryMs).toBeLessThan(5_000);
    expect(answers.filter(({ atMs }) => atMs > thawedAt + 5_000).every(({ status }) => status === 200)).toBe(
      true,
    );
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  });
});
