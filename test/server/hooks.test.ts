import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import { HOOKS, type HookProgram, startHookProgram } from "../fixtures/hooks.js";
import { freshAddress, keyFor } from "../fixtures/keyed.js";

let hooked: HookProgram;

beforeAll(async () => {
  hooked = await startHookProgram();
});
afterAll(() => hooked.program.close());

describe("hooks of a user", () => {
  it("201 shows the secret once, and keeps its digest alone", async () => {
    const hook = await hooked.newHook({ sources: ["tradingview"], symbols: ["NASDAQ:AAPL"] });
    expect(hook).toMatchObject({
      secret: expect.stringMatching(/^hook_[\w-]{43}$/),
      path: `/api/hooks/${hook.secret}`,
    });
    const shown =
      JSON.stringify(await hooked.ask("GET", `${HOOKS}/${hook.id}`)) +
      JSON.stringify(await hooked.ask("GET", HOOKS));
    expect(shown).not.toContain(hook.secret);
    expect(shown).toContain('"symbols":["AAPL"]');
    const rows = await hooked.program.parts.database.query("select h::text from hooks h");
    expect(JSON.stringify(rows)).not.toContain(hook.secret);
  });

  it("200 changes what is said and leaves the rest; another secret ends the one before", async () => {
    const hook = await hooked.newHook({ per_minute: 7 });
    const changed = await hooked.ask("PATCH", `${HOOKS}/${hook.id}`, { mode: "order", max_order_value: 50 });
    expect(changed.data).toMatchObject({
      mode: "order",
      max_order_value: 50,
      per_minute: 7,
      account_id: hooked.accountId,
    });
    const rotated = (await hooked.ask("POST", `${HOOKS}/${hook.id}/rotate`)).data;
    expectProblem(await hooked.call(hook, "one", freshAddress()), "hook_not_found");
    expect((await hooked.call(rotated, "two")).statusCode).toBe(202);
    await hooked.ask("DELETE", `${HOOKS}/${hook.id}`);
    expectProblem(await hooked.call(rotated, "three", freshAddress()), "hook_not_found");
  });

  it("404 for those of another, 409 for a name that is taken, 403 for a viewer", async () => {
    const hook = await hooked.newHook({ name: "Taken" });
    const other = { "x-api-key": await keyFor(hooked.program, "trader-2", "trader") };
    for (const url of [`${HOOKS}/${hook.id}`, `${HOOKS}/${hook.id}/calls`, `${HOOKS}/${hook.id}/calls/1`]) {
      expectProblem(await hooked.program.call({ url, headers: other }), "hook_not_found");
    }
    const gone = await hooked.program.call({ method: "DELETE", url: `${HOOKS}/${hook.id}`, headers: other });
    expectProblem(gone, "hook_not_found");
    const payload = { name: "Taken" };
    expectProblem(
      await hooked.program.call({ method: "POST", url: HOOKS, headers: hooked.headers, payload }),
      "conflict",
    );
    const account_id = "00000000-0000-4000-8000-000000000000";
    const stranger = { name: "x", mode: "order", account_id };
    expectProblem(
      await hooked.program.call({ method: "POST", url: HOOKS, headers: hooked.headers, payload: stranger }),
      "account_not_found",
    );
    const unseen = await hooked.program.call({
      method: "POST",
      url: HOOKS,
      headers: hooked.headers,
      payload: { name: "x\u202ey" },
    });
    expectProblem(unseen, "invalid_request", "name");
    const viewer = { "x-api-key": await keyFor(hooked.program, "viewer-1", "viewer") };
    expectProblem(await hooked.program.call({ url: HOOKS, headers: viewer }), "forbidden");
  });
});

describe("POST /api/hooks/:secret", () => {
  it("202 keeps JSON, pairs and any text, and says in the log what became of each", async () => {
    const hook = await hooked.newHook();
    const broken = '{"ticker": AAPL';
    for (const body of [
      { ticker: "AAPL", close: 1 },
      "ticker=AAPL, close=2",
      "ticker=AAPL close=3",
      "AAPL crossed 200",
    ]) {
      expect((await hooked.call(hook, body)).json()).toMatchObject({ data: { status: "waiting" } });
    }
    const type = { "content-type": "application/json" };
    await hooked.program.call({ method: "POST", url: hook.path, headers: type, payload: broken });
    const calls = await hooked.done(hook);
    expect(calls).toMatchObject([
      { status: "logged", fields: { ticker: "AAPL", close: 1 }, source: "52.89.214.238" },
      { status: "logged", fields: { ticker: "AAPL", close: "2" }, problem: null },
      { status: "logged", fields: { ticker: "AAPL", close: "3" }, problem: null },
      { status: "logged", fields: null, problem: expect.stringContaining("JSON"), body: "AAPL crossed 200" },
      { status: "logged", fields: null, body: broken, content_type: "application/json" },
    ]);
    const newest = await hooked.ask("GET", `${HOOKS}/${hook.id}/calls?limit=1`);
    expect(
      (await hooked.ask("GET", `${HOOKS}/${hook.id}/calls?limit=1&before=${newest.next}`)).data,
    ).toMatchObject([{ id: calls[3].id }]);
    expect((await hooked.ask("GET", `${HOOKS}/${hook.id}/calls/${calls[0].id}`)).data).toEqual(calls[0]);
  });

  it("202 finds the secret behind more fields than are read, and says that there are more", async () => {
    const hook = await hooked.newHook();
    const fields = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`field_${i}`, i]));
    const answer = await hooked.call({ path: "/api/hooks" }, { ...fields, secret: hook.secret });
    expect(answer.statusCode).toBe(202);
    const [only] = await hooked.done(hook);
    expect(only).toMatchObject({
      status: "logged",
      fields: { field_0: 0, field_59: 59 },
      problem: "There are more than 60 fields",
    });
    expect(JSON.stringify(only)).not.toContain(hook.secret);
  });

  it("413 for more than 64 KB, 415 for a form", async () => {
    const hook = await hooked.newHook();
    expectProblem(await hooked.call(hook, "x".repeat(65_537)), "body_too_large");
    expect((await hooked.call(hook, "x".repeat(65_536))).statusCode).toBe(202);
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const form = await hooked.program.call({ method: "POST", url: hook.path, headers: type, payload: "a=b" });
    expectProblem(form, "unsupported_media_type");
  });

  it("404 for a wrong secret, which counts as a guess; whoever had a good one goes on", async () => {
    const hook = await hooked.newHook();
    const address = freshAddress();
    expect((await hooked.call(hook, "good", address)).statusCode).toBe(202);
    for (let n = 0; n < 30; n++) {
      expectProblem(await hooked.call({ path: `/api/hooks/hook_${n}` }, "x", address), "hook_not_found");
    }
    const wrong = [{ path: "/api/hooks/hook_31" }, { path: `/api/hooks/hook_${"x".repeat(43)}` }];
    for (const each of wrong) expectProblem(await hooked.call(each, "x", address), "rate_limited");
    expect((await hooked.call(hook, "still good", address)).statusCode).toBe(202);
    // Nor is one that was never heard from there: an address of TradingView is that of all its users.
    const unheard = await hooked.newHook();
    expect((await hooked.call(unheard, "first", address)).statusCode).toBe(202);
    expect((await hooked.call({ path: "/api/hooks" }, { secret: unheard.secret }, address)).statusCode).toBe(
      202,
    );
    expect(await hooked.done(unheard)).toHaveLength(2);
  });

  it("403 for an address that may not call it, 409 for one that is switched off; both are in the log", async () => {
    const hook = await hooked.ordering({ sources: ["tradingview", "10.9.0.0/16"] });
    const buy = { ticker: "BTC", action: "buy", quantity: 0.01 };
    expectProblem(await hooked.call(hook, buy, "8.8.8.8"), "forbidden");
    expect((await hooked.call(hook, "from the network", "10.9.1.1")).statusCode).toBe(202);
    await hooked.ask("PATCH", `${HOOKS}/${hook.id}`, { enabled: false });
    expectProblem(await hooked.call(hook, buy), "conflict");
    await hooked.ask("PATCH", `${HOOKS}/${hook.id}`, { enabled: true });
    // What was turned away makes no repetition of what is let in.
    await hooked.call(hook, buy);
    expect(await hooked.done(hook)).toMatchObject([
      { status: "turned_away", code: "source_refused", source: "8.8.8.8" },
      { status: "refused", code: "unreadable" },
      { status: "turned_away", code: "disabled" },
      { status: "ordered" },
    ]);
  });

  it("503 beyond the limit of the hook, wherever the calls come from; they are in its log", async () => {
    const hook = await hooked.newHook({ per_minute: 3 });
    for (let n = 0; n < 3; n++)
      expect((await hooked.call(hook, `${n}`, freshAddress())).statusCode).toBe(202);
    const answer = await hooked.call(hook, "4".repeat(5_000), "8.8.8.8");
    expectProblem(answer, "hook_busy");
    expect([answer.statusCode, Number(answer.headers["retry-after"]) > 0]).toEqual([503, true]);
    const calls = await hooked.done(hook);
    expect(calls.map(({ status }) => status)).toEqual(["logged", "logged", "logged", "turned_away"]);
    expect(calls[3]).toMatchObject({ code: "too_often", source: "8.8.8.8", body: "4".repeat(1_000) });
  });
});

describe("POST /api/hooks", () => {
  it.each(["secret", "passphrase"])("202 with the %s in the body, which is not kept", async (name) => {
    const hook = await hooked.newHook();
    expect((await hooked.call({ path: "/api/hooks" }, { [name]: hook.secret, note: "x" })).statusCode).toBe(
      202,
    );
    expect((await hooked.call({ path: "/api/hooks" }, `${name}=${hook.secret}\nnote=y`)).statusCode).toBe(
      202,
    );
    const calls = await hooked.done(hook);
    expect(calls).toMatchObject([{ fields: { note: "x" } }, { fields: { note: "y" } }]);
    expect(JSON.stringify(calls)).not.toContain(hook.secret);
  });

  it("400 without a secret, 404 with a wrong one", async () => {
    expectProblem(
      await hooked.call({ path: "/api/hooks" }, "nothing", freshAddress()),
      "invalid_request",
      "secret",
    );
    expectProblem(
      await hooked.call({ path: "/api/hooks" }, { secret: "x" }, freshAddress()),
      "hook_not_found",
    );
  });
});

describe("hooks:ID of the stream", () => {
  it("tells what became of each call, to its owner alone", async () => {
    const hook = await hooked.newHook({ mode: "notice" });
    const { stream } = hooked.program.parts;
    const topic = stream.topicOf(`hooks:${hook.id}`);
    const principal = { userId: "trader-1", role: "trader", anonymous: false } as const;
    await stream.admit(topic, principal);
    await expect(stream.admit(topic, { ...principal, userId: "trader-2" })).rejects.toMatchObject({
      code: "hook_not_found",
    });
    await hooked.call(hook, { text: "AAPL crossed 200" });
    const [only] = await hooked.done(hook);
    const { events } = await stream.replay(topic, 0);
    expect(events.map(({ frame }) => JSON.parse(frame).data)).toEqual([only]);
    expect(only.status).toBe("noticed");
  });
});
