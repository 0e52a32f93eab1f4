import { connect, type Socket } from "node:net";

/**
 * A crowd of WebSocket clients in a process of its own, each no more than a connection: `port clients stalled`. Prints a line
 * of JSON once all listen, and one when its input ends: how late events came, by ms, how many there were, and how many
 * connections of those who read ended. The stalled read nothing from its first line of input on.
 */
const [port, count, stalled] = process.argv.slice(2).map(Number);
const HANDSHAKE = [
  "GET /ws?topics=alerts HTTP/1.1",
  "host: localhost",
  "connection: upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const SENT = Buffer.from('"sent":');
const late = new Map<number, number>();
let events = 0;
let ended = 0;
let listening = 0;

function read(frame: Buffer): void {
  const at = frame.indexOf(SENT);
  if (at < 0) return;
  const sent = Number.parseFloat(frame.toString("latin1", at + SENT.length, at + SENT.length + 20));
  const ms = Math.max(0, Math.ceil(performance.timeOrigin + performance.now() - sent));
  late.set(ms, (late.get(ms) ?? 0) + 1);
  events++;
}

/** Takes whole frames from the front of what came. @returns what is left. */
function takeFrames(bytes: Buffer, socket: Socket): Buffer {
  let at = 0;
  while (bytes.length >= at + 2) {
    let length = bytes[at + 1] & 0x7f;
    let head = 2;
    if (length === 126) {
      if (bytes.length < at + 4) break;
      length = bytes.readUInt16BE(at + 2);
      head = 4;
    }
    if (bytes.length < at + head + length) break;
    const kind = bytes[at] & 0x0f;
    if (kind === 9) socket.write(PONG);
    else if (kind === 1) read(bytes.subarray(at + head, at + head + length));
    at += head + length;
  }
  return bytes.subarray(at);
}

function open(stalls: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let rest: Buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.on("error", reject);
    socket.on("connect", () => socket.write(`${HANDSHAKE.join("\r\n")}\r\n\r\n`));
    socket.on("data", (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!isOpen) {
        const end = rest.indexOf("\r\n\r\n");
        if (end < 0 || !rest.includes('"subscribed"')) return;
        isOpen = true;
        rest = rest.subarray(end + 4);
        listening++;
        resolve(socket);
      }
      rest = takeFrames(rest, socket);
    });
    socket.on("close", () => {
      if (!stalls) ended++;
    });
  });
}

const stallers: Socket[] = [];
for (let k = 0; k < count; k += 50) {
  const some = Array.from({ length: Math.min(50, count - k) }, (_, i) => open(k + i < stalled));
  stallers.push(...(await Promise.all(some)).slice(0, Math.max(0, stalled - k)));
}
process.stdout.write(`${JSON.stringify({ listening })}\n`);
process.stdin.on("data", () => {
  for (const socket of stallers) socket.pause();
});
process.stdin.on("end", () => {
  process.stdout.write(`${JSON.stringify({ events, ended, late: [...late] })}\n`);
  process.exit(0);
});
