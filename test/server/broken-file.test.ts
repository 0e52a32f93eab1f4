import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const clock = createManualClock(Date.parse("2024-07-09T12:00:00Z"));
const REASON = "cannot be read: unexpected end of file";

let folder: string;
let program: TestProgram;
/** So long that its head alone shows nothing. */
const rows = Array.from(
  { length: 20_000 },
  (_, i) => `${1_600_000_000 + 60 * i},${10 + Math.sin(i)},15,5,10,${i}`,
);
const packed = gzipSync(["timestamp,open,high,low,close,volume", ...rows, ""].join("\n"));
const cut = packed.subarray(0, packed.length >> 1);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-broken-"));
  writeFileSync(join(folder, "BTC-USD-1m.csv.gz"), cut);
  writeFileSync(join(folder, "ETH-USD-1m.csv.gz"), packed);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const candles = (symbol: string) => program.call(`/api/candles/${symbol}?interval=1m&limit=5`);
const quality = async () => (await program.call("/api/data-quality")).json().data;
const health = async () => (await program.call("/api/coverage")).json().providers.health.files;
const told = async (file: string) => {
  const { recent_issues: issues } = await quality();
  return issues.filter(({ symbol }: { symbol: string }) => symbol === file);
};

describe("a packed file that ends in the middle", () => {
  it("is an issue with its name and the reason, and each question about it a failed call", async () => {
    const answer = await candles("BTC");
    expectProblem(answer, "provider_unavailable", `BTC-USD-1m.csv.gz ${REASON}`);
    await vi.waitFor(
      async () =>
        expect(await told("BTC-USD-1m.csv.gz")).toMatchObject([
          { code: "file_unused", severity: "critical", source: "files", detail: REASON, synthetic: false },
        ]),
      { timeout: 15_000 },
    );
    const { overall_quality: overall, feed_health: feeds } = await quality();
    expect(overall).toBe("bad");
    expect(feeds.files).toMatchObject({ successful_calls: 0, failed_calls: expect.toSatisfy((n) => n > 0) });
    expect(await health()).toMatchObject({
      ok: false,
      error: `bad_payload: BTC-USD-1m.csv.gz ${REASON}`,
      last_success: null,
    });
  });

  it("does not stand in the way of other files, and is probed in vain only where no file can be read", async () => {
    const probed = async () => (await program.call("/api/provider-health")).json().data.files;
    expect(await probed()).toMatchObject({ ok: false, error: `bad_payload: BTC-USD-1m.csv.gz ${REASON}` });
    for (let i = 0; i < 8; i++) expectProblem(await candles("BTC"), "provider_unavailable", REASON);
    expect((await candles("ETH")).json().data).toHaveLength(5);
    expect(await health()).toMatchObject({ ok: true, breaker: "closed", aside_until: null });
    expect((await program.call("/health")).json()).toMatchObject({ status: "healthy", unserved: [] });
  });

  it("is served as it was where it was whole before, and told of all the same", async () => {
    const path = join(folder, "ETH-USD-1m.csv.gz");
    writeFileSync(path, cut);
    utimesSync(path, new Date(), new Date(Date.now() + 5_000));
    clock.advance(61_000);
    expect((await candles("ETH")).json().data).toHaveLength(5);
    await vi.waitFor(
      async () => expect(await told("ETH-USD-1m.csv.gz")).toMatchObject([{ detail: REASON }]),
      { timeout: 15_000 },
    );
  });
});

describe("a folder that is gone", () => {
  it("is told of as soon as a question meets it, and all that it served counts as unserved", async () => {
    rmSync(folder, { recursive: true, force: true });
    clock.advance(61_000);
    expectProblem(await candles("BTC"), "provider_unavailable", "is gone with its folder");
    expect((await program.call("/health")).json()).toMatchObject({
      status: "degraded",
      unserved: expect.arrayContaining(["crypto"]),
    });
    const { market_data } = (await program.call("/health/detailed")).json().components;
    expect(market_data).toMatchObject({ status: "degraded" });
  });
});
