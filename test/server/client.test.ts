import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentAt, writeClient } from "../../bench/client-files.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import type { Spec } from "../fixtures/spec.js";

const COMPILER = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const STRICT = [
  ...["--strict", "--exactOptionalPropertyTypes", "--noUnusedLocals", "--noUnusedParameters"],
  ...["--verbatimModuleSyntax", "--erasableSyntaxOnly", "--isolatedModules"],
  ...["--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable", "--types", ""],
];

/** What somebody who has the client would write. */
const USE = `
import { type PaperOrder, type Problem, TxClient } from "./tx-client.js";

const BRACKET = { type: "limit", limit_price: 1, order_class: "oto", time_in_force: "gtc", stop_loss: { stop_price: 0.5 } } as const;

export async function use(baseUrl: string) {
  const tx = new TxClient({ baseUrl });
  const candles = await tx.listCandles("BTC/USD", { timeframe: "1h", limit: 3 });
  if (!candles.ok) throw new Error(candles.error.detail);
  const closes: number[] = candles.data.data.map(({ close }) => close);

  const alerts = await tx.listAlerts({ limit: 2 });
  if (!alerts.ok) throw new Error(alerts.error.detail);
  const known: string[] = alerts.data.data.map(({ symbol }) => symbol);

  const placed = await tx.placePaperOrder({ symbol: "AAPL", side: "buy", quantity: 2, ...BRACKET });
  if (!placed.ok) throw new Error(placed.error.detail);
  const order: PaperOrder = placed.data.data;
  const again = await tx.getPaperOrder(order.id);
  const leg = await tx.getPaperOrder(\`\${order.id}/stop\`);

  const refused = await tx.placePaperOrder({ symbol: "AAPL", side: "buy", quantity: 2, type: "limit" });
  const problem: Problem | null = refused.ok ? null : refused.error;
  const code: Problem["code"] | undefined = problem?.code;

  const ordered = await tx.orderBackfill({ symbols: ["AAPL"], interval: "1d", from: "2024-01-02", to: "2024-02-01" });
  if (!ordered.ok) throw new Error(ordered.error.detail);
  const job = await tx.getJob(ordered.data.id);
  const clock = await tx.udfTime();
  return {
    closes, known, order, again, code, problem, clock, leg,
    refused: refused.status,
    job: job.ok ? job.data.data : job.error,
  };
}

export const names = () => Object.keys(new TxClient());
export const whoIs = (baseUrl: string, credential: string) => new TxClient({ baseUrl, credential }).getPrincipal();
`;

/** Each line is wrong in its own way. */
const MISUSES = [
  `await tx.placePaperOrder({ symbol: "AAPL", side: "hold", quantity: 1 });`,
  `await tx.placePaperOrder({ symbol: "AAPL", quantity: 1 });`,
  `(await tx.listCandles("AAPL")).data.data;`,
  `await tx.listCandles("AAPL", { timeframe: "7m" });`,
  `const answer = await tx.getJob("1"); if (!answer.ok && answer.error.code === "no_such_code") throw answer;`,
  `await tx.getOrderThatIsNone();`,
];

interface Used {
  use(url: string): Promise<Record<string, unknown>>;
  names(): string[];
  whoIs(url: string, credential: string): Promise<{ readonly ok: boolean; readonly status: number }>;
}

const OWNER = { userId: "owner", role: "admin", anonymous: true } as const;

const folder = mkdtempSync(join(tmpdir(), "tx-typed-"));
let program: TestProgram;
let url: string;
let used: Used;
let got: Record<string, unknown>;

function compile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  try {
    return execFileSync(
      process.execPath,
      [COMPILER, "--ignoreConfig", ...STRICT, "--outDir", join(folder, "out"), path],
      {
        encoding: "utf8",
      },
    );
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout ?? error);
  }
}

beforeAll(async () => {
  program = await startTestProgram();
  url = await program.listen();
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await writeClient(await documentAt(url, undefined), folder);
  expect(compile("use.ts", USE)).toBe("");
  used = (await import(pathToFileURL(join(folder, "out", "use.js")).href)) as Used;
  got = await used.use(url);
}, 120_000);
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the client that npm run client writes", () => {
  it("has a method for every operation of the document but those that never end, and no other", () => {
    const spec = program.server.swagger() as unknown as Spec;
    const ids = Object.values(spec.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(ids.length).toBeGreaterThan(300);
    const streams = ids.filter((id) => !used.names().includes(id));
    expect(streams.sort()).toEqual(["alpacaActivityEvents", "followJob", "streamEvents"]);
    expect(used.names().filter((name) => !ids.includes(name))).toEqual([]);
  });

  it("reads candles and alerts, trades on paper, orders a job and reads what is no JSON", () => {
    expect(got).toMatchObject({
      closes: [expect.any(Number), expect.any(Number), expect.any(Number)],
      known: expect.any(Array),
      order: { symbol: "AAPL", side: "buy", quantity: 2, limit_price: 1 },
      again: { ok: true, status: 200 },
      job: { kind: "backfill" },
      leg: { ok: true, data: { data: { side: "sell", stop_price: 0.5 } } },
      clock: { ok: true, data: expect.stringMatching(/^\d{10}$/) },
    });
  });

  it("gives a refusal as a value whose code is one of the table", () => {
    expect(got).toMatchObject({
      refused: 422,
      code: "order_refused",
      problem: { success: false, problems: [expect.objectContaining({ code: expect.any(String) })] },
    });
  });

  it("sends its credential with each call", async () => {
    const { key } = await program.parts.users.createKey(OWNER, "owner", "client", null);
    expect(await used.whoIs(url, key)).toMatchObject({ ok: true, data: { data: { anonymous: false } } });
    expect(await used.whoIs(url, `${key}x`)).toMatchObject({ ok: false, error: { code: "unauthenticated" } });
  });

  it("does not compile where it is misused", () => {
    const lines = MISUSES.map((line, i) => `export async function misuse${i}() { ${line} }`);
    const text = ['import { TxClient } from "./tx-client.js";', "const tx = new TxClient();", ...lines].join(
      "\n",
    );
    const found = compile("misuse.ts", text);
    const wrong = new Set([...found.matchAll(/misuse\.ts\((\d+),/g)].map(([, line]) => Number(line)));
    expect([...wrong].sort(), found).toEqual(MISUSES.map((_, i) => i + 3));
  });
});
