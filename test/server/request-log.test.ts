import fastify from "fastify";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { serverOptions } from "../../src/server/requests.js";

function createServer(level: string) {
  const lines: Record<string, unknown>[] = [];
  const made: object[] = [];
  const log = pino(
    { level, base: null, onChild: (child) => void made.push(child.bindings()) },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const app = fastify(serverOptions(log, 0));
  // The server has one of its own.
  made.length = 0;
  return { app, lines, made };
}

describe("the log of a request", () => {
  it("names the request on each line, and is made by the first that is written", async () => {
    const { app, lines, made } = createServer("info");
    app.get("/", async ({ log }) => {
      log.debug("is not written");
      expect(made).toEqual([]);
      log.warn({ fact: 1 }, "first");
      log.error("second %s", "text");
      log.child({ part: "inner" }).info("third");
      expect(log.level).toBe("info");
      return "";
    });
    expect((await app.inject({ url: "/", headers: { "x-request-id": "one" } })).statusCode).toBe(200);
    expect(lines).toMatchObject([
      { level: 40, reqId: "one", fact: 1, msg: "first" },
      { level: 50, reqId: "one", msg: "second text" },
      { level: 30, reqId: "one", part: "inner", msg: "third" },
    ]);
    expect(made).toEqual([{ reqId: "one" }, { reqId: "one", part: "inner" }]);
    await app.close();
  });

  it("is never made of a request of which nothing is said", async () => {
    const { app, lines, made } = createServer("warn");
    app.get("/", async ({ log }) => {
      for (const level of ["trace", "debug", "info", "silent"] as const) log[level]("nothing");
      return "";
    });
    await app.inject("/");
    expect({ lines, made }).toEqual({ lines: [], made: [] });
    await app.close();
  });

  it("has every level that lines are written at", async () => {
    const { app, lines } = createServer("trace");
    app.get("/", async ({ log }) => {
      for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) log[level](level);
      return "";
    });
    await app.inject("/");
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [10, "trace"],
      [20, "debug"],
      [30, "info"],
      [40, "warn"],
      [50, "error"],
      [60, "fatal"],
    ]);
    await app.close();
  });
});
