import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TOPICS } from "../../src/features/stream/topics.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket, publishEvents } from "../fixtures/socket.js";

interface Document {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, { address: string; messages: Record<string, unknown> }>>;
  readonly components: { readonly messages: Readonly<Record<string, { payload: object }>> };
}

let program: TestProgram;
let address: string;
let document: Document;
beforeAll(async () => {
  program = await startTestProgram();
  address = await program.listen();
  document = (await program.server.inject("/asyncapi.json")).json();
});
afterAll(() => program.close());

/** Problems of a frame with the message of a name; empty for none. */
function problemsOf(name: string, frame: Frame): string[] {
  const ajv = formats.default(new Ajv({ strict: false, allErrors: true }));
  ajv.addSchema({ $id: "http://told/told", ...document });
  const validate = ajv.compile({ $ref: `http://told/told#/components/messages/${name}/payload` });
  return validate(frame)
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

describe("GET /asyncapi.json", () => {
  it("200 is a document by the schema of AsyncAPI 3.0", () => {
    const require = createRequire(import.meta.url);
    const schema = JSON.parse(
      readFileSync(require.resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json"), "utf8"),
    );
    const validate = formats.default(new Ajv({ strict: false, allErrors: true })).compile(schema);
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(document.asyncapi).toBe("3.0.0");
  });

  it("200 has a channel for each kind of topic, each reference leading somewhere", () => {
    expect(Object.keys(document.channels).sort()).toEqual(
      ["socket", ...TOPICS.map(({ name }) => name)].sort(),
    );
    const text = JSON.stringify(document);
    for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = (path ?? "")
        .split("/")
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect(found, path).toBeDefined();
    }
  });

  it("200 describes the frames of a socket", async () => {
    const socket = await openSocket(address);
    try {
      socket.send({ type: "ping" });
      socket.send({ type: "subscribe", topics: ["alerts"] });
      socket.send({ type: "subscribe", topics: ["scan"], since: { scan: 0 } });
      const bars = "bars:AAPL:1m";
      socket.send({ type: "subscribe", topics: [bars], since: { [bars]: 1 } });
      const lost = await socket.heard((each) => each.type === "resumed" && each.topic === bars);
      expect(problemsOf("resumed", lost)).toEqual([]);
      expect(problemsOf("resumed", { ...lost, reason: "why not" })).not.toEqual([]);
      socket.send({ type: "unsubscribe", topics: ["scan"] });
      socket.send({ type: "subscribe", topics: ["jobs:4294967290"] });
      expect(problemsOf("error", await socket.heard(({ type }) => type === "error"))).toEqual([]);
      socket.send({ type: "nonsense" });
      await socket.heard(({ type, topic }) => type === "error" && topic === undefined);
      const types = ["welcome", "pong", "subscribed", "resumed", "unsubscribed", "error"];
      for (const type of types) {
        const frame = await socket.heard((each) => each.type === type);
        expect(problemsOf(type, frame), type).toEqual([]);
      }
      expect(problemsOf("pong", { type: "pong" })).not.toEqual([]);
    } finally {
      await socket.close();
    }
  });

  it("200 describes snapshots, and events as they are told", async () => {
    const opened = await program.call({
      method: "POST",
      url: "/api/paper-trade/accounts",
      payload: { name: "told" },
    });
    const { id } = opened.json().data as { id: string };
    const topics = [
      "alerts",
      "candles:BTC:1h",
      "quotes:BTC",
      "regimes:BTC:1d",
      `account:${id}`,
      `portfolio:${id}`,
    ];
    const socket = await openSocket(address);
    try {
      socket.send({ type: "subscribe", topics, snapshot: true });
      for (const topic of topics) {
        const name = topic.split(":")[0];
        const frame = await socket.heard(
          (each) => each.type === "snapshot" && String(each.topic).split(":")[0] === name,
        );
        expect(problemsOf(`${name}Snapshot`, frame), topic).toEqual([]);
        expect(frame.data, topic).not.toBeNull();
      }
      const order = { symbol: "BTC", side: "buy", quantity: 0.01, account_id: id };
      const placed = await program.call({ method: "POST", url: "/api/paper-trades", payload: order });
      expect(placed.statusCode).toBe(200);
      const isOf = (name: string) => (each: Frame) => each.type === "event" && each.topic === `${name}:${id}`;
      expect(problemsOf("accountEvent", await socket.heard(isOf("account")))).toEqual([]);
      const portfolio = await socket.heard(isOf("portfolio"));
      expect(problemsOf("portfolioEvent", portfolio)).toEqual([]);
      expect(JSON.stringify(portfolio.data)).toContain("BTC-USD");
    } finally {
      await socket.close();
    }
  });

  it("200 says why there is no snapshot, and the topic goes on", async () => {
    const socket = await openSocket(address);
    try {
      socket.send({ type: "subscribe", topics: ["quotes:ZZZZZZ1"], snapshot: true });
      const answer = await socket.heard(({ type }) => type === "snapshot" || type === "error");
      expect(answer.type === "error" ? answer.code : answer.why).toBeDefined();
    } finally {
      await socket.close();
    }
  });

  it("200: a snapshot of a kept topic goes before what comes after it, without a gap", async () => {
    const socket = await openSocket(address);
    try {
      for (let n = 0; n < 30; n++) await publishEvents(program.parts as never, "alerts", [n]);
      socket.send({ type: "subscribe", topics: ["alerts"], snapshot: true });
      for (let n = 30; n < 60; n++) await publishEvents(program.parts as never, "alerts", [n]);
      await socket.heard((each) => (each.data as { n?: number } | null)?.n === 59);
      const [at] = socket.frames.flatMap((frame, i) => (frame.type === "snapshot" ? [i] : []));
      const events = socket.frames.filter(({ type }) => type === "event");
      const snapshot = socket.frames[at] as Frame & { seq: number };
      expect(events.every((event) => socket.frames.indexOf(event) > at)).toBe(true);
      expect(events.every(({ seq }) => Number(seq) > snapshot.seq)).toBe(true);
      const numbers = events.map(({ data }) => (data as { n: number }).n);
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0] + i));
      expect(events[0].previous_seq).toBe(snapshot.seq);
    } finally {
      await socket.close();
    }
  });
});
