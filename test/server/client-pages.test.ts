import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PAGE_CALLS, type PageFacts } from "../fixtures/client-pages.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
let facts: PageFacts;
const span = () => {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const now = program.parts.clock.now();
  return {
    start_date: day(now - 700 * 86_400_000),
    end_date: day(now - 86_400_000),
    initial_capital: 10_000,
  };
};

beforeAll(async () => {
  program = await startTestProgram({
    environment: { SCAN_INTERVALS: "5m,1h", ALERT_CONFIDENCE_THRESHOLD: "0", ALERT_DEDUPE_MINUTES: "0" },
  });
  await program.parts.scanner.start({});
  await program.parts.scanner.loop.run(program.parts.clock.now(), new AbortController().signal);
  await program.parts.scanner.stop();
  const order = { symbol: "BTC", side: "BUY", quantity: 0.01 };
  for (let k = 0; k < 2; k++)
    await program.call({ method: "POST", url: "/api/paper-trades", payload: order });
  const dataOf = async (url: string) => (await program.call(url)).json().data;
  facts = {
    openTrade: (await dataOf("/api/paper-trades?status=open"))[0].id,
    settings: await dataOf("/api/risk-settings"),
    scanConfig: await dataOf("/api/scan/config"),
    span: span(),
  };
}, 120_000);
afterAll(() => program.close());

describe("what pages of existing clients call, without a token", () => {
  it.each(
    PAGE_CALLS.map(
      (call) => [`${call.body === undefined ? "GET" : "POST"} ${call.url}`, call.page, call] as const,
    ),
  )("200 %s has what %s reads", async (_, _page, { url, body, reads }) => {
    const answer = await program.server.inject(
      body === undefined ? { url } : { method: "POST", url, payload: body(facts) },
    );
    expect(answer.statusCode, answer.body.slice(0, 400)).toBe(200);
    expect(answer.json().success).not.toBe(false);
    const read = reads.safeParse(answer.json());
    expect(
      read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    ).toEqual([]);
  });
});
