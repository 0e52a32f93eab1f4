import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ADMIN_KEY, bearer, KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket, refusal } from "../fixtures/socket.js";

const typed = (type: string) => (frame: Frame) => frame.type === type;

describe("who may open a socket", () => {
  let owner: TestProgram;
  let keyed: TestProgram;
  let ownerAddress: string;
  let address: string;
  /** Wall time that can be moved on, while durations go on as they do. */
  let skippedMs = 0;
  const clock = { now: () => Date.now() + skippedMs, elapsed: () => performance.now() };
  const admin = { "x-api-key": ADMIN_KEY };

  beforeAll(async () => {
    owner = await startTestProgram({ environment: { CORS_ORIGINS: "https://app.example.com" } });
    ownerAddress = await owner.listen();
    keyed = await startTestProgram({
      environment: { ...KEYED, HOST: "127.0.0.1" },
      clock,
      sockets: { pingEveryMs: 400 },
    });
    address = await keyed.listen();
  });
  afterAll(() => Promise.all([owner.close(), keyed.close()]));

  const ticketFor = async (headers: Record<string, string>): Promise<string> =>
    (await keyed.call({ method: "POST", url: "/api/auth/ws-ticket", headers })).json().data.token;
  const withTicket = (ticket: string) => openSocket(address, { query: `ticket=${ticket}` });

  it.each(["https://evil.example", "null", "https://app.example.com.evil.example", "http://localhost:1"])(
    "403 before the upgrade from the origin %s",
    async (origin) => {
      expect(await refusal(openSocket(ownerAddress, { headers: { origin } }))).toEqual({
        status: 403,
        code: "origin_refused",
      });
    },
  );

  it("a refused one is ended by the server, whatever the client keeps open", async () => {
    const socket = connect(Number(new URL(ownerAddress).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let answer = "";
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.write(
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\nOrigin: null\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await once(socket, "end", { signal: AbortSignal.timeout(2_000) });
    expect(answer).toMatch(/^HTTP\/1.1 403 [\s\S]*origin_refused/);
  });

  it("101 without an origin, from a listed one and from its own", async () => {
    for (const headers of [{}, { origin: "https://app.example.com" }, { origin: ownerAddress }]) {
      expect(
        (await refusal(openSocket(ownerAddress, { headers: headers as Record<string, string> }))).status,
      ).toBe(101);
    }
  });

  it("403 for a foreign host on loopback", async () => {
    const opening = openSocket(ownerAddress, { headers: { host: "evil.example" } });
    expect(await refusal(opening)).toEqual({ status: 403, code: "origin_refused" });
  });

  it("426 for what is no handshake", async () => {
    const answer = await owner.call("/ws");
    expect([answer.statusCode, answer.json().code]).toEqual([426, "upgrade_required"]);
  });

  it("400 for parameters that are not known", async () => {
    expect(await refusal(openSocket(ownerAddress, { query: "token=x" }))).toEqual({
      status: 400,
      code: "invalid_request",
    });
  });

  it("401 without a credential, with a wrong one and with one in the address", async () => {
    expect(await refusal(openSocket(address))).toEqual({ status: 401, code: "unauthenticated" });
    expect(await refusal(openSocket(address, { headers: { "x-api-key": "wrong" } }))).toMatchObject({
      status: 401,
    });
    expect(await refusal(withTicket("x.y.z"))).toMatchObject({ status: 401 });
    expect(await refusal(withTicket(ADMIN_KEY))).toMatchObject({ status: 401 });
  });

  it("101 without a credential where anybody may look, and topics of users stay theirs", async () => {
    const shown = await startTestProgram({ environment: { ...KEYED, ALLOW_ANONYMOUS: "viewer" } });
    onTestFinished(() => shown.close());
    const headers = { "x-api-key": await keyFor(shown, "ann", "trader") };
    const rules = `rules:${(await shown.call({ url: "/api/auth/me", headers })).json().data.user_id}`;
    const socket = await openSocket(await shown.listen(), { query: `topics=alerts,${rules}` });
    expect(await socket.heard(typed("subscribed"))).toMatchObject({ topic: "alerts" });
    expect(await socket.heard(typed("error"))).toMatchObject({ code: "rule_not_found", topic: rules });
    const stream = await shown.server.inject({ url: `/api/events?topics=${rules}` });
    expect(stream.statusCode).toBe(404);
    await socket.close();
  });

  it("101 with a key, a bearer token or a ticket", async () => {
    const { token } = (await keyed.call({ method: "POST", url: "/api/auth/token", headers: admin })).json()
      .data;
    for (const headers of [admin, bearer(ADMIN_KEY), bearer(token)]) {
      expect((await refusal(openSocket(address, { headers }))).status).toBe(101);
    }
    expect((await refusal(withTicket(await ticketFor(admin)))).status).toBe(101);
    // A token is no ticket, and a ticket no token.
    expect((await refusal(withTicket(token))).status).toBe(401);
    expect((await refusal(openSocket(address, { headers: bearer(await ticketFor(admin)) }))).status).toBe(
      401,
    );
  });

  it("a ticket opens one socket, also when several come at once, and for 30 s only", async () => {
    const ticket = await ticketFor(admin);
    const opened = await Promise.all(Array.from({ length: 5 }, () => refusal(withTicket(ticket))));
    expect(opened.map(({ status }) => status).sort()).toEqual([101, 401, 401, 401, 401]);
    const late = await ticketFor(admin);
    skippedMs += 31_000;
    expect((await refusal(withTicket(late))).status).toBe(401);
  });

  it("4401 when the token behind it expires", async () => {
    const { token } = (await keyed.call({ method: "POST", url: "/api/auth/token", headers: admin })).json()
      .data;
    const byToken = await openSocket(address, { headers: bearer(token) });
    const byTicket = await withTicket(await ticketFor(bearer(token)));
    const byKey = await openSocket(address, { headers: admin });
    skippedMs += 890_000;
    await byKey.heard(typed("heartbeat"));
    expect(byToken.socket.readyState).toBe(byToken.socket.OPEN);
    skippedMs += 11_000;
    expect(await Promise.all([byToken.closed, byTicket.closed])).toEqual([4401, 4401]);
    byKey.socket.terminate();
  });

  it("4401 when the key behind it is revoked", async () => {
    const key = await keyFor(keyed, "leaver", "viewer");
    const headers = { "x-api-key": key };
    const sockets = [await openSocket(address, { headers }), await withTicket(await ticketFor(headers))];
    const [{ id }] = (await keyed.call({ url: "/api/auth/keys", headers })).json().data;
    await keyed.call({ method: "DELETE", url: `/api/auth/keys/${id}`, headers });
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4401, 4401]);
  });
});
