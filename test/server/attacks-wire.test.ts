import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { sized } from "../fixtures/sizes.js";
import { exchange, openWire } from "../fixtures/wire.js";

let program: TestProgram;
let address: string;

beforeAll(async () => {
  program = await startScannedProgram();
  address = await program.listen();
});
afterAll(() => program.close());

const HEADERS = ["cache-control: no-store", "x-content-type-options: nosniff", "x-frame-options: deny"];

/** Expects one answer: problem details with the headers that all answers have, and the end of the connection. */
function expectRefusal(text: string, status: number, code: string): void {
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  for (const header of [...HEADERS, "connection: close", "content-type: application/problem+json"]) {
    expect(head.toLowerCase()).toContain(header);
  }
  expect(head.toLowerCase()).not.toMatch(/^server:|x-powered-by/m);
  expect(JSON.parse(body)).toMatchObject({ code, status, success: false });
}

const get = (...lines: string[]) =>
  `GET /health HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const post = (body: string, ...lines: string[]) =>
  `POST /api/scan/config HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${lines
    .map((line) => `${line}\r\n`)
    .join("")}\r\n${body}`;

describe("bytes that are no clean request (A39)", () => {
  it.each<[string, string]>([
    ["length and chunks at once", post("0\r\n\r\n", "content-length: 5", "transfer-encoding: chunked")],
    ["two lengths", post('{"a":1}', "content-length: 7", "content-length: 1")],
    ["two equal lengths", post("{}", "content-length: 2", "content-length: 2")],
    ["a length that is none", post("{}", "content-length: 0x2")],
    ["a negative length", post("{}", "content-length: -1")],
    ["an odd coding", post("{}", "transfer-encoding: xchunked")],
    ["a coding after chunks", post("0\r\n\r\n", "transfer-encoding: chunked, identity")],
    ["line feeds alone", "GET /health HTTP/1.1\nhost: localhost\n\n"],
    ["a folded header", get("host: localhost", "x-a: 1", " folded")],
    ["a blank before the colon", get("host: localhost", "x-a : 1")],
    ["no host", get("x-a: 1")],
    ["NUL in a header", get("host: localhost", "x-a: \0")],
    ["an odd version", "GET /health HTTP/9.9\r\nhost: localhost\r\n\r\n"],
    ["a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["words", "hello, is anybody there?\r\n\r\n"],
    ["a chunk size that is none", post("zz\r\n{}\r\n0\r\n\r\n", "transfer-encoding: chunked")],
  ])("400 for %s", async (_name, text) => {
    const answer = await exchange(address, text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it("403 without version and host, as in HTTP/0.9", async () => {
    expect(await exchange(address, "GET /health\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("400 in our own form", async () => {
    expectRefusal(await exchange(address, "hello\r\n\r\n"), 400, "invalid_request");
  });

  it("400 for two hosts", async () => {
    const answer = await exchange(address, get("host: localhost", "host: evil.example"));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("more than one host");
  });

  it("431 for headers of 17 KiB", async () => {
    const answer = await exchange(address, get("host: localhost", `x-a: ${"a".repeat(17 * 1024)}`));
    expectRefusal(answer, 431, "headers_too_large");
  });

  it("431 for 3,000 headers", async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `x-${i}: 1`);
    const answer = await exchange(address, get("host: localhost", ...many));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("two requests in one packet get two answers in order, the second none of the first's body", async () => {
    const first = post('{"interval":61}', "content-length: 15");
    const answer = await exchange(address, `${first}${get("host: localhost", "connection: close")}`);
    const answers = answer.split(/(?=HTTP\/1\.1 )/);
    expect(answers.map((each) => each.slice(0, 12))).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
    expect(answers[0]).toContain('"interval":61');
    expect(answers[1]).toContain('"status":"healthy"');
  });

  it("answers everybody else meanwhile", async () => {
    expect((await fetch(`${address}/livez`)).status).toBe(200);
  });
});

describe("clients that take their time (A38)", () => {
  // Side by side: each waits for its time-out.
  it("408 for slow headers, 503 for a slow body, an end for a slow reader and for silence", {
    timeout: 120_000,
  }, async () => {
    // As they are set; where they are shorter the same happens sooner.
    const { server } = program.server;
    const { headersTimeout, requestTimeout, timeout } = server;
    expect({ headersTimeout, requestTimeout, timeout }).toEqual({
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      timeout: 13_000,
    });
    const part = sized({ usual: 0.3, full: 1 });
    // An answer that nobody reads has a limit of its own.
    const limitMs = sized({ usual: 30_000, full: 45_000 });
    server.headersTimeout = part * headersTimeout;
    server.requestTimeout = part * requestTimeout;
    server.timeout = part * timeout;
    const drip = (write: (i: number) => void) => {
      let i = 0;
      return setInterval(() => write(i++), 500);
    };
    const headers = await openWire(address, "GET /health HTTP/1.1\r\nhost: localhost\r\n");
    const body = await openWire(address, post("", "content-length: 1000"));
    const large = "GET /api/candles/BTC?interval=5m&limit=1500 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const reader = await openWire(address, large.repeat(60));
    reader.socket.pause();
    const silent = await openWire(address, "");
    const timers = [
      drip((i) => headers.socket.writable && headers.socket.write(`x-${i}: 1\r\n`)),
      drip(() => body.socket.writable && body.socket.write(" ")),
    ];
    const readerCut = new Promise<number>((resolve) => {
      const started = performance.now();
      const look = setInterval(async () => {
        const open = await new Promise<number>((done) =>
          program.server.server.getConnections((_, count) => done(count)),
        );
        if (open > 0) return;
        clearInterval(look);
        resolve(performance.now() - started);
      }, 250);
    });
    const [headersMs, bodyMs, silentMs] = await Promise.all([headers.closed, body.closed, silent.closed]);
    const readerMs = await readerCut;
    for (const timer of timers) clearInterval(timer);
    reader.socket.destroy();
    expectRefusal(headers.text(), 408, "request_timeout");
    expect(headersMs).toBeLessThan(5_000 + part * 15_000);
    expect(body.text()).toMatch(/^HTTP\/1\.1 (408|503) /);
    expect(bodyMs).toBeLessThan(limitMs);
    expect(silentMs).toBeLessThan(limitMs);
    expect(readerMs).toBeLessThan(limitMs);
    const took = [headersMs, bodyMs, silentMs, readerMs].map((ms) => (ms / 1_000).toFixed(1)).join(", ");
    process.stdout.write(`slow headers, body, silence, reader ended after ${took} s\n`);
  });
});
