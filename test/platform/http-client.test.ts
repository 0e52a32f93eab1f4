import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { sleep } from "../../src/platform/clock.js";
import { createHttpClient, HttpClientError, type HttpFailure } from "../../src/platform/http-client.js";
import { expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { type LocalServer, startHttpServer, startTcpServer } from "../fixtures/servers.js";
import { isLinux, runsHere } from "../fixtures/skips.js";

expectNothingUnhandled();

const LIMIT_BYTES = 64 * 1024;
const TIMEOUT_MS = 300;
const client = createHttpClient({ timeoutMs: TIMEOUT_MS, limitBytes: LIMIT_BYTES, userAgent: "tx-test" });

const open: LocalServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});
async function serve(server: Promise<LocalServer>): Promise<string> {
  const ready = await server;
  open.push(ready);
  return ready.url;
}

/** How a request failed, with how long that took. */
async function failureOf(
  url: string,
  signal?: AbortSignal,
): Promise<{ failure: HttpFailure; ms: number; error: HttpClientError }> {
  const { error, ms } = await timed(() => client.get({ url }, signal));
  if (!(error instanceof HttpClientError)) throw new Error(`did not fail as it should: ${String(error)}`);
  return { failure: error.failure, ms, error };
}

describe("post", () => {
  const patient = createHttpClient({ timeoutMs: 5_000, limitBytes: LIMIT_BYTES, userAgent: "tx-test" });

  it("sends the body as it is, and follows the rules of get", async () => {
    const url = await serve(
      startHttpServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on("end", () => {
          if (request.url === "/away") response.writeHead(307, { location: "/" });
          response.end(`${request.method} ${request.headers["content-type"]} ${body}`);
        });
      }),
    );
    const request = {
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "a=b&c=%20",
    };
    expect(await patient.post(request)).toMatchObject({
      status: 200,
      text: "POST application/x-www-form-urlencoded a=b&c=%20",
    });
    await expect(patient.post({ ...request, url: new URL("/away", url).href })).rejects.toMatchObject({
      failure: "redirect",
    });
    await expect(patient.post(request, AbortSignal.abort())).rejects.toMatchObject({ failure: "aborted" });
  });
});

describe("get", () => {
  it("gives status, headers and text, whatever the status", async () => {
    const url = await serve(
      startHttpServer((request, response) => {
        response.writeHead(request.url === "/ok" ? 200 : 503, { "x-answer": "yes" });
        response.end(`${request.method} ${request.url} ü`);
      }),
    );
    const ok = await client.get({ url: `${url}/ok` });
    expect([ok.status, ok.headers.get("x-answer"), ok.text]).toEqual([200, "yes", "GET /ok ü"]);
    expect((await client.get({ url: `${url}/no` })).status).toBe(503);
  });

  it("says who asks, and sends the headers it is given", async () => {
    const url = await serve(
      startHttpServer((request, response) => response.end(JSON.stringify(request.headers))),
    );
    const { text } = await client.get({ url, headers: { "x-key": "k" } });
    expect(JSON.parse(text)).toMatchObject({
      "user-agent": "tx-test",
      accept: "application/json",
      "x-key": "k",
    });
  });

  it("an empty answer is an empty text", async () => {
    const url = await serve(startHttpServer((_request, response) => response.writeHead(204).end()));
    expect(await client.get({ url })).toMatchObject({ status: 204, text: "" });
  });

  it("bytes that are no UTF-8 become replacement characters, and a byte order mark is left out", async () => {
    const url = await serve(
      startHttpServer((request, response) => {
        const latin1 = Buffer.from([0x7b, 0x22, 0xe9, 0xff, 0x22, 0x7d]);
        response.end(request.url === "/bom" ? Buffer.from("\ufeff[1]") : latin1);
      }),
    );
    expect((await client.get({ url: `${url}/latin1` })).text).toBe('{"\ufffd\ufffd"}');
    expect(JSON.parse((await client.get({ url: `${url}/bom` })).text)).toEqual([1]);
  });
});

describe("time-out", () => {
  it.skipIf(!runsHere(isLinux, "elsewhere a full queue of connections refuses them"))(
    "while connecting to who never accepts",
    async () => {
      const { url, end } = await startDeafServer();
      try {
        const { failure, ms } = await failureOf(url);
        expect(failure).toBe("timeout");
        expect(ms).toBeLessThan(TIMEOUT_MS + 400);
      } finally {
        end();
      }
    },
  );

  it("while waiting for headers", async () => {
    const url = await serve(startTcpServer(() => undefined));
    const { failure, ms } = await failureOf(url);
    expect(failure).toBe("timeout");
    expect(ms).toBeGreaterThan(TIMEOUT_MS - 30);
    expect(ms).toBeLessThan(TIMEOUT_MS + 400);
  });

  it("while the answer drips in", async () => {
    const timers: NodeJS.Timeout[] = [];
    const url = await serve(
      startHttpServer((_request, response) => {
        response.writeHead(200);
        timers.push(setInterval(() => response.write("x"), 20));
      }),
    );
    const { failure, ms } = await failureOf(url);
    for (const timer of timers) clearInterval(timer);
    expect(failure).toBe("timeout");
    expect(ms).toBeLessThan(TIMEOUT_MS + 400);
  });

  it("after headers that no body follows", async () => {
    const url = await serve(
      startHttpServer((_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.flushHeaders();
      }),
    );
    expect((await failureOf(url)).failure).toBe("timeout");
  });

  it("though garbage is collected in the meantime", async () => {
    const module = new URL("../../src/platform/http-client.ts", import.meta.url).href;
    const program = `
      import { createServer } from "node:net";
      const server = createServer(() => undefined).listen(0, "127.0.0.1", async () => {
        const { createHttpClient } = await import(${JSON.stringify(module)});
        const client = createHttpClient({ timeoutMs: 200, limitBytes: 1000, userAgent: "t" });
        setInterval(() => globalThis.gc(), 10).unref();
        setTimeout(() => { process.stdout.write("never"); process.exit(0); }, 4000);
        client.get({ url: "http://127.0.0.1:" + server.address().port }, new AbortController().signal)
          .catch((error) => { process.stdout.write(error.failure); process.exit(0); });
      });`;
    const options = ["--expose-gc", "--import", "tsx", "--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(stdout).toBe("timeout");
  });
});

describe("size", () => {
  it("an answer of the limit is taken, a longer one refused, announced or not", async () => {
    const url = await serve(
      startHttpServer((request, response) => {
        const size = Number(request.url?.slice(1));
        if (size % 2 === 0) response.setHeader("content-length", String(size));
        response.write("x".repeat(Math.floor(size / 2)));
        response.end("y".repeat(Math.ceil(size / 2)));
      }),
    );
    expect((await client.get({ url: `${url}/${LIMIT_BYTES}` })).text).toHaveLength(LIMIT_BYTES);
    expect((await failureOf(`${url}/${LIMIT_BYTES + 1}`)).failure).toBe("too_large");
    expect((await failureOf(`${url}/${2 * LIMIT_BYTES}`)).failure).toBe("too_large");
  });

  it("an answer without end is cut at the limit", async () => {
    let sent = 0;
    const url = await serve(
      startHttpServer((_request, response) => {
        const chunk = Buffer.alloc(16 * 1024, "x");
        const pump = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        };
        response.on("drain", pump);
        pump();
      }),
    );
    expect((await failureOf(url)).failure).toBe("too_large");
    expect(sent).toBeLessThan(50 * 1024 * 1024);
  });

  it("a packed answer counts by its unpacked size", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(LIMIT_BYTES);
    const url = await serve(
      startHttpServer((_request, response) => {
        response.writeHead(200, { "content-encoding": "gzip" });
        response.end(bomb);
      }),
    );
    expect((await failureOf(url)).failure).toBe("too_large");
  });
});

describe("refusals", () => {
  it.each([301, 302, 303, 307, 308])("a redirect (%i) is not followed", async (status) => {
    let asked = 0;
    const url = await serve(
      startHttpServer((_request, response) => {
        asked++;
        response.writeHead(status, { location: "/elsewhere" }).end("x".repeat(1_000));
      }),
    );
    expect((await failureOf(url)).failure).toBe("redirect");
    expect(asked).toBe(1);
  });

  it("an address that is none, or of another protocol, is a network failure", async () => {
    for (const url of ["nonsense", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:1/"]) {
      expect((await failureOf(url)).failure, url).toBe("network");
    }
  });
});

describe("the caller gives up", () => {
  it("before, during the wait and during the answer", async () => {
    const url = await serve(
      startHttpServer((request, response) => {
        if (request.url === "/body") response.write("beginning");
      }),
    );
    expect((await failureOf(url, AbortSignal.abort())).failure).toBe("aborted");
    for (const path of ["/headers", "/body"]) {
      const giving = new AbortController();
      setTimeout(() => giving.abort(), 50);
      const { failure, ms } = await failureOf(url + path, giving.signal);
      expect(failure).toBe("aborted");
      expect(ms).toBeLessThan(TIMEOUT_MS - 50);
    }
  });

  it("leaves nothing on the signal of a caller that lives on", async () => {
    const url = await serve(startHttpServer((_request, response) => response.end("x")));
    const { signal } = new AbortController();
    const added = countListeners(signal);
    for (let i = 0; i < 20; i++) await client.get({ url }, signal);
    expect(added()).toBe(0);
  });
});

/** Listens in a stopped process behind a full queue: on Linux, further connections are left unanswered. */
async function startDeafServer(): Promise<{ url: string; end: () => void }> {
  const program = `require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () {
    process.stdout.write(String(this.address().port)) })`;
  const child = spawn(process.execPath, ["--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = await once(child.stdout, "data");
  const port = Number(text);
  child.kill("SIGSTOP");
  const waiting: Socket[] = [];
  let full = false;
  while (!full && waiting.length < 20) {
    const socket = connect(port, "127.0.0.1").on("error", () => socket.destroy());
    waiting.push(socket);
    full = await Promise.race([once(socket, "connect").then(() => false), sleep(100).then(() => true)]);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    end() {
      for (const socket of waiting) socket.destroy();
      child.kill("SIGKILL");
    },
  };
}

/** How many listeners and combined signals a signal has. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  const combined = () =>
    Object.getOwnPropertySymbols(signal)
      .filter((key) => key.description === "kDependantSignals")
      .map((key) => (signal as unknown as Record<symbol, { size: number } | undefined>)[key])
      .reduce((sum, dependants) => sum + (dependants?.size ?? 0), 0);
  return () => count + combined();
}

describe("connection", () => {
  it("refused, reset before the answer, reset within it, and cut short are network failures", async () => {
    const reset = await serve(
      startTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
    );
    const within = await serve(
      startTcpServer((socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
          setTimeout(() => socket.resetAndDestroy(), 20);
        }),
      ),
    );
    const short = await serve(
      startTcpServer((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")),
      ),
    );
    const noHttp = await serve(
      startTcpServer((socket) => socket.once("data", () => socket.end("SSH-2.0-x\r\n"))),
    );
    for (const url of [reset, within, short, noHttp]) {
      const { failure, error } = await failureOf(url);
      expect(failure).toBe("network");
      expect(error.message).not.toBe("");
    }
  });

  it("one that is not answered in time does not hold up the next", async () => {
    let asked = 0;
    const url = await serve(
      startHttpServer((_request, response) => {
        if (++asked > 1) response.end("second");
      }),
    );
    expect((await failureOf(url)).failure).toBe("timeout");
    expect((await client.get({ url })).text).toBe("second");
  });
});
