import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createErrorTracking, type ErrorTrackingOptions } from "../../src/platform/error-tracking.js";
import { createScrubber } from "../../src/platform/log.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";
import { type LocalServer, startHttpServer } from "../fixtures/servers.js";

expectNothingUnhandled();

const CANARY = "c4n4ryPl4inV4lueWith32Characters";

interface Received {
  readonly url: string;
  readonly body: string;
}
let received: Received[];
let collector: LocalServer;

beforeEach(async () => {
  received = [];
  collector = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
      received.push({ url: request.url ?? "", body: body.toString("utf8") });
      response.end("{}");
    });
  });
});
afterEach(() => collector.close());

function options(more: Partial<ErrorTrackingOptions> = {}): ErrorTrackingOptions & { lines: () => string[] } {
  const { log, lines } = createRecordedLog();
  return {
    dsn: `http://publickey@127.0.0.1:${collector.port}/7`,
    environment: "staging",
    release: "1.2.3",
    scrub: createScrubber([CANARY]),
    log,
    lines,
    ...more,
  };
}

describe("without an address", () => {
  it("nothing is loaded, sent or changed", async () => {
    let loaded = false;
    vi.doMock("@sentry/node", () => {
      loaded = true;
      return {};
    });
    const listeners = process.listenerCount("unhandledRejection");
    const tracking = await createErrorTracking(options({ dsn: undefined }));
    tracking.report(new Error("x"), {});
    await tracking.close();
    vi.doUnmock("@sentry/node");
    expect(tracking.provider).toBeNull();
    expect(loaded).toBe(false);
    expect(process.listenerCount("unhandledRejection")).toBe(listeners);
    expect(received).toEqual([]);
  });
});

describe("with an address", () => {
  it("a failure arrives with its stack, facts, release and environment, and without secrets", async () => {
    const listeners = ["unhandledRejection", "uncaughtException"].map((name) => process.listenerCount(name));
    const tracking = await createErrorTracking(options());
    expect(tracking.provider).toBe("sentry");
    const cause = new Error(`could not connect to postgresql://tx:hunter2hunter2@db/tx`);
    const error = new TypeError(`the key "${CANARY}" was refused`, { cause });
    tracking.report(error, { requestId: "abc", route: `/api/x?apikey=${CANARY}` });
    await tracking.close();

    expect(received).toHaveLength(1);
    const [{ url, body }] = received as [Received];
    expect(url).toContain("/api/7/envelope/");
    expect(body).not.toContain(CANARY);
    expect(body).not.toContain("hunter2");
    const event = JSON.parse(body.split("\n")[2] ?? "");
    expect(event).toMatchObject({ environment: "staging", release: "1.2.3", tags: { requestId: "abc" } });
    const exceptions = event.exception.values as { type: string; value: string; stacktrace: unknown }[];
    expect(exceptions.at(-1)).toMatchObject({ type: "TypeError", value: 'the key "[secret]" was refused' });
    expect(JSON.stringify(exceptions.at(-1)?.stacktrace)).toContain("error-tracking.test.ts");
    expect(event.user).toBeUndefined();
    expect(event.request).toBeUndefined();
    // The program handles its own crashes.
    expect(["unhandledRejection", "uncaughtException"].map((name) => process.listenerCount(name))).toEqual(
      listeners,
    );
  });

  it("a secret with characters that JSON escapes is taken out too, and the event stays whole", async () => {
    const odd = 'c4n4ry"with\\escapes\nand more';
    const tracking = await createErrorTracking(options({ scrub: createScrubber([odd]) }));
    tracking.report(new Error(`bad: ${odd}!`), { note: odd });
    await tracking.close();
    const event = JSON.parse(received[0]?.body.split("\n")[2] ?? "");
    expect(JSON.stringify(event)).not.toContain("c4n4ry");
    expect(event.exception.values[0].value).toBe("bad: [secret]!");
  });

  it("anything thrown can be reported", async () => {
    const tracking = await createErrorTracking(options());
    for (const thrown of [
      undefined,
      null,
      "text",
      7,
      { odd: true },
      new AggregateError([new Error("a")], "many"),
    ]) {
      tracking.report(thrown, {});
    }
    await tracking.close();
    expect(received.length).toBeGreaterThanOrEqual(4);
  });

  it("a collector that refuses or never answers costs nothing but its events", async () => {
    const silent = await startHttpServer(() => undefined);
    for (const port of [1, silent.port]) {
      const tracking = await createErrorTracking(options({ dsn: `http://publickey@127.0.0.1:${port}/7` }));
      const started = performance.now();
      for (let i = 0; i < 200; i++) tracking.report(new Error(`failure ${i}`), {});
      expect(performance.now() - started).toBeLessThan(1_000);
      expect((await timed(() => tracking.close())).ms).toBeLessThan(3_000);
    }
    await silent.close();
  });

  it("an address that Sentry cannot use is told of, and nothing claims to report", async () => {
    const { lines, ...given } = options({ dsn: `http://publickey@127.0.0.1:${collector.port}/` });
    const tracking = await createErrorTracking(given);
    tracking.report(new Error("x"), {});
    await tracking.close();
    expect(tracking.provider).toBeNull();
    await eventually("a line", () => lines().some((line) => line.includes("SENTRY_DSN")));
    expect(lines().join()).not.toContain("errors are reported");
  });
});
