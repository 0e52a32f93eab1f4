import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { ADMIN_KEY, askWho, bearer, KEYED, SECRET, startKeyedProgram } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let keyed: TestProgram;

beforeAll(async () => {
  keyed = (await startKeyedProgram()).program;
});
afterAll(() => keyed.close());

describe("a bearer token", () => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const nowS = () => Math.floor(Date.now() / 1_000);
  const claims = () => ({
    iss: "tx",
    aud: "api",
    sub: "admin",
    role: "admin",
    jti: "x1",
    iat: nowS(),
    exp: nowS() + 600,
  });

  /** A token with the server's own secret, unless told otherwise. */
  function forge(
    payload: object,
    header: object = { alg: "HS256" },
    secret = SECRET,
    hash = "sha256",
  ): string {
    const head = `${encode(header)}.${encode(payload)}`;
    return `${head}.${createHmac(hash, secret).update(head).digest("base64url")}`;
  }

  it("200 as it is made here, so that the forged ones differ in one thing each", async () => {
    const programWithOwner = await startTestProgram({ environment: { SECRET_KEY: SECRET } });
    const answer = await askWho(programWithOwner, bearer(forge(claims())));
    expect(answer.json().data).toMatchObject({ role: "admin" });
    await programWithOwner.close();
  });

  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const FORGED: [string, () => string | Promise<string>][] = [
    ["alg none", () => `${encode({ alg: "none" })}.${encode(claims())}.`],
    ["alg None", () => `${encode({ alg: "None" })}.${encode(claims())}.AA`],
    ["alg nOnE with a signature", () => forge(claims(), { alg: "nOnE" })],
    ["HS384 with the same secret", () => forge(claims(), { alg: "HS384" }, SECRET, "sha384")],
    ["HS512 with the same secret", () => forge(claims(), { alg: "HS512" }, SECRET, "sha512")],
    ["another secret", () => forge(claims(), { alg: "HS256" }, "another-secret-another-secret-another")],
    ["an empty secret", () => forge(claims(), { alg: "HS256" }, "")],
    ["no exp", () => forge({ ...claims(), exp: undefined })],
    ["exp as text", () => forge({ ...claims(), exp: String(nowS() + 600) })],
    ["exp in the past", () => forge({ ...claims(), exp: nowS() - 1 })],
    ["exp in a year", () => forge({ ...claims(), iat: nowS() - 1_000, exp: nowS() + 31_536_000 })],
    ["nbf in the future", () => forge({ ...claims(), nbf: nowS() + 60 })],
    ["iat in the future", () => forge({ ...claims(), iat: nowS() + 60 })],
    ["no iat", () => forge({ ...claims(), iat: undefined })],
    ["another audience", () => forge({ ...claims(), aud: "socket" })],
    ["no audience", () => forge({ ...claims(), aud: undefined })],
    ["another issuer", () => forge({ ...claims(), iss: "evil" })],
    ["a role that there is none", () => forge({ ...claims(), role: "root" })],
    ["a role as list", () => forge({ ...claims(), role: ["admin"] })],
    ["no subject", () => forge({ ...claims(), sub: undefined })],
    ["no id", () => forge({ ...claims(), jti: undefined })],
    [
      "a key id that there is none",
      () => forge({ ...claims(), kid: "00000000-0000-4000-8000-000000000000" }),
    ],
    ["a key id that is none", () => forge({ ...claims(), kid: "x' or 1=1" })],
    ["a key id as path", () => forge({ ...claims(), kid: "k" }, { alg: "HS256", kid: "../../../dev/null" })],
    [
      "its own key in the header",
      async () => {
        const jwk = await exportJWK(privateKey);
        return new SignJWT(claims())
          .setProtectedHeader({ alg: "RS256", jwk: { kty: jwk.kty, n: jwk.n, e: jwk.e } } as never)
          .sign(privateKey);
      },
    ],
    [
      "a key address in the header",
      () => forge(claims(), { alg: "HS256", jku: "https://evil.example/jwks" }, "evil"),
    ],
    ["a critical header", () => forge(claims(), { alg: "HS256", crit: ["exp"], exp: 1 })],
    [
      "a changed payload",
      () => forge(claims()).replace(/\.[^.]+\./, `.${encode({ ...claims(), sub: "eve" })}.`),
    ],
    ["a payload that is no object", () => forge([])],
    ["no signature", () => forge(claims()).replace(/[^.]+$/, "")],
    ["four parts", () => `${forge(claims())}.AA`],
    ["50,000 characters", () => forge({ ...claims(), pad: "x".repeat(9_000) })],
  ];

  it.each(FORGED)("401 with %s", async (_name, make) => {
    expectProblem(await askWho(keyed, bearer(await make())), "unauthenticated");
  });

  it("401 for one made without a key once callers without a key are nobody", async () => {
    const owner = await startTestProgram({ environment: { SECRET_KEY: SECRET } });
    const made = (await owner.call({ method: "POST", url: "/api/auth/token" })).json().data.token;
    expect((await askWho(owner, bearer(made))).json().data).toMatchObject({
      user_id: "owner",
      role: "admin",
    });
    await owner.close();
    expectProblem(await askWho(keyed, bearer(made)), "unauthenticated");
    const open = await startTestProgram({
      environment: { HOST: "0.0.0.0", SECRET_KEY: SECRET, ALLOW_ANONYMOUS: "true" },
    });
    expect((await askWho(open, bearer(made))).json().data).toMatchObject({
      user_id: "anonymous",
      role: "trader",
    });
    await open.close();
  });

  it("cannot be renewed by itself, and ends with the key behind it", async () => {
    const clock = createManualClock(Date.now());
    const program = await startTestProgram({ environment: KEYED, clock });
    const token = async (headers: Record<string, string>) =>
      (await program.call({ method: "POST", url: "/api/auth/token", headers })).json().data;
    const first = await token({ "x-api-key": ADMIN_KEY });
    clock.advance(600_000);
    const second = await token(bearer(first.token));
    expect(second.expires_at).toBe(first.expires_at);
    clock.advance(299_000);
    expect((await askWho(program, bearer(second.token))).statusCode).toBe(200);
    clock.advance(2_000);
    expectProblem(await askWho(program, bearer(second.token)), "unauthenticated");
    await program.close();
  });

  it("dies with the process that has no SECRET_KEY", async () => {
    const first = await startTestProgram();
    const second = await startTestProgram();
    const { token } = (await first.call({ method: "POST", url: "/api/auth/token" })).json().data;
    expect((await askWho(first, bearer(token))).statusCode).toBe(200);
    expectProblem(await askWho(second, bearer(token)), "unauthenticated");
    await Promise.all([first.close(), second.close()]);
  });
});
