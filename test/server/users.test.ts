import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/features/users/credentials.js";
import { createTestDatabase } from "../fixtures/database.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const ADMIN_KEY = "tx_admin_Vw3Ke8Pq1Zr6Ty0Um5Xn2Jb7Lf4Hd9Gs";

let program: TestProgram;
/** Keys by role. */
let keys: Record<"viewer" | "trader" | "other", string>;

beforeAll(async () => {
  program = await startTestProgram({
    environment: { ADMIN_API_KEY: ADMIN_KEY, SECRET_KEY: "k7Qw2Zx9Lm4Vb8Rt1Yp6Nc3Hd5Jf0Gs7" },
  });
  keys = { viewer: await keyFor("vera", "viewer"), trader: await keyFor("tom", "trader"), other: "" };
  keys.other = await keyFor("olga", "trader");
});
afterAll(() => program.close());

function call(key: string, method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
  const headers = { "x-api-key": key };
  return program.call({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
}

async function keyFor(userId: string, role: string): Promise<string> {
  await call(ADMIN_KEY, "POST", "/api/users", { user_id: userId, role });
  return (await call(ADMIN_KEY, "POST", "/api/auth/keys", { name: "first", user_id: userId })).json().data
    .key;
}

describe("GET /api/auth/me", () => {
  it("200 says who a key stands for", async () => {
    const me = async (key: string) => (await call(key, "GET", "/api/auth/me")).json().data;
    expect(await me(ADMIN_KEY)).toEqual({ user_id: "admin", role: "admin", anonymous: false });
    expect(await me(keys.viewer)).toEqual({ user_id: "vera", role: "viewer", anonymous: false });
  });

  it("401 without a key", async () => {
    const answer = await program.call("/api/auth/me");
    expectProblem(answer, "unauthenticated");
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="tx"');
  });
});

describe("ADMIN_API_KEY", () => {
  it("of any visible characters opens, and the one before it no more", async () => {
    const database = await createTestDatabase();
    const statusOf = async (configured: string, given: string) => {
      const started = await startTestProgram({ database, environment: { ADMIN_API_KEY: configured } });
      const { statusCode } = await started.call({ url: "/api/auth/me", headers: { "x-api-key": given } });
      await started.close();
      return statusCode;
    };
    const first = "q8Zt+Yk3/pLr5WvN1xQe7sGm2bHc9dJf4aUo0iTz6w=";
    const second = "tx~Vw3Ke8Pq1!Zr6Ty0Um5:Xn2Jb7Lf4Hd9Gs";
    expect(await statusOf(first, first)).toBe(200);
    expect(await statusOf(second, second)).toBe(200);
    expect(await statusOf(second, first)).toBe(401);
    expect(await statusOf(first, first)).toBe(200);
    await database.drop();
  });
});

describe("POST /api/users", () => {
  it("201 makes a user, and changes the role of one that exists at once", async () => {
    const made = await call(ADMIN_KEY, "POST", "/api/users", { user_id: "uwe", role: "viewer" });
    expect([made.statusCode, made.json().data]).toEqual([201, { user_id: "uwe", role: "viewer" }]);
    const key = (await call(ADMIN_KEY, "POST", "/api/auth/keys", { name: "k", user_id: "uwe" })).json().data
      .key;
    expectProblem(await call(key, "POST", "/api/scan/stop"), "forbidden", "trader");
    await call(ADMIN_KEY, "POST", "/api/users", { user_id: "uwe", role: "trader" });
    await expect
      .poll(async () => (await call(key, "POST", "/api/scan/stop")).statusCode, { timeout: 1_500 })
      .toBe(200);
  });

  it.each<[object, string]>([
    [{ role: "viewer" }, "body user_id"],
    [{ user_id: "a b", role: "viewer" }, "body user_id"],
    [{ user_id: "x".repeat(65), role: "viewer" }, "body user_id"],
    [{ user_id: "a", role: "owner" }, "body role"],
    [{ user_id: "a", role: "viewer", is_admin: true }, "body is_admin"],
  ])("400 for %j", async (payload, detail) => {
    expectProblem(await call(ADMIN_KEY, "POST", "/api/users", payload), "invalid_request", detail);
  });
});

describe("POST /api/save-profile", () => {
  const save = (key: string, payload?: object) => call(key, "POST", "/api/save-profile", payload);
  const profile = {
    email: "vera@example.com",
    display_name: "Vera",
    avatar_url: "https://example.com/vera.png",
    preferences: { theme: "dark", panes: [1, 2], nested: { a: null } },
  };

  it("200 keeps the caller's profile; what is left out stays, what is null goes", async () => {
    expect((await save(keys.viewer, profile)).json().data).toEqual({
      user_id: "vera",
      role: "viewer",
      ...profile,
    });
    const changed = await save(keys.viewer, { display_name: "V." });
    expect(changed.json().data).toMatchObject({ ...profile, display_name: "V." });
    const cleared = await save(keys.viewer, { email: null, avatar_url: null, display_name: null });
    expect(cleared.json().data).toMatchObject({ email: null, avatar_url: null, display_name: null });
  });

  it("200 for the profile of another in body or header, when an administrator asks", async () => {
    const byBody = await save(ADMIN_KEY, { user_id: "tom", display_name: "Tom" });
    expect(byBody.json().data).toMatchObject({ user_id: "tom", role: "trader", display_name: "Tom" });
    const byHeader = await program.call({
      method: "POST",
      url: "/api/save-profile",
      headers: { "x-api-key": ADMIN_KEY, "x-user-id": "newcomer" },
      payload: {},
    });
    expect(byHeader.json().data).toMatchObject({ user_id: "newcomer", role: "viewer" });
  });

  it("403 for the profile of another, which stays as it was", async () => {
    expectProblem(await save(keys.viewer, { user_id: "tom", display_name: "Owned" }), "forbidden");
    const byHeader = await program.call({
      method: "POST",
      url: "/api/save-profile",
      headers: { "x-api-key": keys.trader, "x-user-id": "vera" },
      payload: { display_name: "Owned" },
    });
    expectProblem(byHeader, "forbidden");
    const rows = await program.parts.database.query<{ name: string | null }>(
      "select display_name as name from users where display_name = 'Owned'",
    );
    expect(rows).toEqual([]);
  });

  it.each<[object, string]>([
    [{ email: "nobody" }, "body email"],
    [{ email: `${"a".repeat(250)}@b.cd` }, "body email"],
    [{ display_name: "" }, "body display_name"],
    [{ display_name: "a\0b" }, "body display_name"],
    [{ display_name: "\ud800" }, "body display_name"],
    [{ avatar_url: "javascript:alert(1)" }, "body avatar_url"],
    [{ avatar_url: "file:///etc/passwd" }, "body avatar_url"],
    [{ preferences: [] }, "body preferences"],
    [{ preferences: { a: "\0" } }, "body preferences"],
    [{ preferences: { "a\0": 1 } }, "body preferences"],
    [{ preferences: { a: "x".repeat(17_000) } }, "body preferences"],
    [{ role: "admin" }, "body role"],
    [{ userId: "tom" }, "body userId"],
    [{ balance: 1 }, "body balance"],
    [{ user_id: "../x" }, "body user_id"],
  ])("400 for %j", async (payload, detail) => {
    expectProblem(await save(keys.viewer, payload), "invalid_request", detail);
  });

  it("400 for a header that is no user id", async () => {
    const headers = { "x-api-key": ADMIN_KEY, "x-user-id": "a b" };
    const answer = await program.call({ method: "POST", url: "/api/save-profile", headers, payload: {} });
    expectProblem(answer, "invalid_request", "X-User-Id");
  });
});

describe("POST /api/auth/keys", () => {
  it("201 shows the key this once and keeps its digest alone", async () => {
    const { data } = (await call(keys.viewer, "POST", "/api/auth/keys", { name: "second" })).json();
    expect(data.key).toMatch(/^tx_[\w-]{43}$/);
    const listed = (await call(keys.viewer, "GET", "/api/auth/keys")).json().data;
    expect(JSON.stringify(listed)).not.toContain(data.key);
    const tables = await program.parts.database.query<{ row: string }>(
      "select to_jsonb(k)::text as row from api_keys k",
    );
    const stored = tables.map(({ row }) => row).join("\n");
    expect(stored).toContain(digestOf(data.key));
    expect(stored).not.toContain(data.key);
    expect(stored).not.toContain(ADMIN_KEY);
  });

  it.each<[object, string]>([
    [{}, "body name"],
    [{ name: "" }, "body name"],
    [{ name: "x".repeat(101) }, "body name"],
    [{ name: "k", expires_at: "tomorrow" }, "body expires_at"],
    [{ name: "k", expires_at: "2001-01-01" }, "body expires_at"],
    [{ name: "k", expires_at: "999999999999999" }, "body expires_at"],
    [{ name: "k", expires_at: 4_102_444_800_000 }, "body expires_at"],
    [{ name: "k", role: "admin" }, "body role"],
    [{ name: "k", user_id: "" }, "body user_id"],
  ])("400 for %j", async (payload, detail) => {
    expectProblem(await call(keys.viewer, "POST", "/api/auth/keys", payload), "invalid_request", detail);
  });

  it("403 for a key of another, 404 for a user who is not there", async () => {
    expectProblem(
      await call(keys.trader, "POST", "/api/auth/keys", { name: "k", user_id: "vera" }),
      "forbidden",
    );
    const nobody = { name: "k", user_id: "no-such-user" };
    expectProblem(await call(ADMIN_KEY, "POST", "/api/auth/keys", nobody), "user_not_found");
    // The same answer whether or not the user exists: names can't be found out.
    expectProblem(await call(keys.trader, "POST", "/api/auth/keys", nobody), "forbidden");
  });
});

describe("GET /api/auth/keys", () => {
  it("200 lists the caller's keys and nobody else's", async () => {
    const { data } = (await call(keys.trader, "GET", "/api/auth/keys")).json();
    expect(data).toEqual([
      {
        id: expect.any(String),
        name: "first",
        created_at: expect.any(String),
        expires_at: null,
        revoked_at: null,
        last_used_at: expect.any(String),
      },
    ]);
  });

  it("200 with the keys of another for an administrator, 403 for everybody else", async () => {
    const own = (await call(keys.other, "GET", "/api/auth/keys")).json().data;
    expect((await call(ADMIN_KEY, "GET", "/api/auth/keys?user_id=olga")).json().data).toEqual(own);
    expectProblem(await call(keys.trader, "GET", "/api/auth/keys?user_id=olga"), "forbidden");
    expectProblem(
      await call(keys.trader, "GET", "/api/auth/keys?user_id=a%20b"),
      "invalid_request",
      "query user_id",
    );
  });
});

describe("DELETE /api/auth/keys/:id", () => {
  it("200 revokes it within a second, also while it is in constant use", async () => {
    const { data } = (await call(keys.trader, "POST", "/api/auth/keys", { name: "brief" })).json();
    expect((await call(data.key, "GET", "/api/auth/me")).statusCode).toBe(200);
    expect((await call(keys.trader, "DELETE", `/api/auth/keys/${data.id}`)).json().message).toContain(
      "revoked",
    );
    expectProblem(await call(data.key, "GET", "/api/auth/me"), "unauthenticated");
    const listed = (await call(keys.trader, "GET", "/api/auth/keys")).json().data;
    expect(listed.find(({ id }: { id: string }) => id === data.id).revoked_at).toMatch(/Z$/);
    expectProblem(await call(keys.trader, "DELETE", `/api/auth/keys/${data.id}`), "api_key_not_found");
  });

  it("404 for the key of another, which goes on working", async () => {
    const [first] = (await call(keys.other, "GET", "/api/auth/keys")).json().data;
    expectProblem(await call(keys.trader, "DELETE", `/api/auth/keys/${first.id}`), "api_key_not_found");
    expect((await call(keys.other, "GET", "/api/auth/me")).statusCode).toBe(200);
  });

  it("200 for any key when an administrator asks", async () => {
    const { data } = (await call(keys.trader, "POST", "/api/auth/keys", { name: "leaked" })).json();
    expect((await call(ADMIN_KEY, "DELETE", `/api/auth/keys/${data.id}`)).statusCode).toBe(200);
    expectProblem(await call(data.key, "GET", "/api/auth/me"), "unauthenticated");
  });

  it("400 for what is no id", async () => {
    expectProblem(await call(keys.trader, "DELETE", "/api/auth/keys/1"), "invalid_request", "params id");
  });

  it("200 with the content type of JSON and nothing in it", async () => {
    const { data } = (await call(keys.trader, "POST", "/api/auth/keys", { name: "brief" })).json();
    const headers = { "x-api-key": keys.trader, "content-type": "application/json" };
    const answer = await program.call({
      method: "DELETE",
      url: `/api/auth/keys/${data.id}`,
      headers,
      payload: "",
    });
    expect(answer.statusCode).toBe(200);
  });
});

describe("POST /api/auth/token", () => {
  it("201 gives a bearer token of the caller's for 15 minutes", async () => {
    const { data } = (await call(keys.viewer, "POST", "/api/auth/token")).json();
    expect(data.token_type).toBe("Bearer");
    const leftS = (Date.parse(data.expires_at) - Date.now()) / 1_000;
    expect(leftS).toBeGreaterThan(890);
    expect(leftS).toBeLessThanOrEqual(900);
    const headers = { authorization: `Bearer ${data.token}` };
    const me = await program.call({ url: "/api/auth/me", headers });
    expect(me.json().data).toEqual({ user_id: "vera", role: "viewer", anonymous: false });
  });

  it("400 for a body that asks for more", async () => {
    expectProblem(
      await call(keys.viewer, "POST", "/api/auth/token", { role: "admin" }),
      "invalid_request",
      "role",
    );
  });
});

describe("POST /api/auth/ws-ticket", () => {
  it("201 gives a ticket for 30 s, which opens no route", async () => {
    const { data } = (await call(keys.viewer, "POST", "/api/auth/ws-ticket")).json();
    expect(Object.keys(data).sort()).toEqual(["expires_at", "token"]);
    expect(Date.parse(data.expires_at) - Date.now()).toBeLessThanOrEqual(30_000);
    const headers = { authorization: `Bearer ${data.token}` };
    expectProblem(await program.call({ url: "/api/auth/me", headers }), "unauthenticated");
  });
});
