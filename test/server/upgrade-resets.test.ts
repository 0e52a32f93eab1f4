import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
let address: URL;
beforeAll(async () => {
  program = await startTestProgram();
  address = new URL(await program.listen());
});
afterAll(() => program.close());

/** Asks for another protocol and breaks the connection at once, with whatever is on its way. */
function breakOff(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(address.port), address.hostname, () => {
      const head = [
        `GET ${path} HTTP/1.1`,
        `Host: ${address.host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
      ];
      const key = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
      socket.write(`${[...head, ...key].join("\r\n")}\r\n\r\n`, () => socket.resetAndDestroy());
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}

it.each(["/ws", "/ws/ticks", "/socket.io/?EIO=4&transport=websocket"])(
  "somebody listens for a break of a connection to %s as soon as it is to be upgraded",
  async (path) => {
    const { server } = program.server;
    let listening = -1;
    const look = (_request: unknown, socket: Duplex) => {
      listening = socket.listenerCount("error");
    };
    server.on("upgrade", look);
    await breakOff(path);
    await expect.poll(() => listening).toBeGreaterThan(0);
    server.off("upgrade", look);
  },
);

it.each(["/ws", "/ws/ticks", "/socket.io/?EIO=4&transport=websocket", "/nothing"])(
  "goes on where connections to %s break while they are upgraded",
  async (path) => {
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 10 }, () => breakOff(path)));
    expect((await fetch(new URL("/livez", address))).status).toBe(200);
  },
);
