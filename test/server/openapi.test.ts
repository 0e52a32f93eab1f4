import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import {
  createSpecChecker,
  isStream,
  type Operation,
  type Spec,
  specPath,
  UNDOCUMENTED,
} from "../fixtures/spec.js";

let program: TestProgram;
let spec: Spec;

beforeAll(async () => {
  program = await startTestProgram();
  spec = (await program.call("/swagger.json")).json<Spec>();
});
afterAll(() => program.close());

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function operations(): Listed[] {
  return Object.entries(spec.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method,
      operation,
    })),
  );
}

/** A stream that goes on for as long as nobody says when it is to end; and that. */
const ENDLESS = "/v2beta1/events/activities";
const ENDED = "?since=1970-01-01&until=1970-01-02";

/** What a few operations answer with in place of JSON. */
const OTHER_TYPES = ["text/event-stream", "image/svg+xml", "text/plain"];

/** Those whose errors are JSON of their own. */
const DIALECTS = ["Alpaca", "UDF"];

describe("GET /swagger.json", () => {
  it("200 is valid OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(spec) as never);
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it("200 names every operation once, with summary and a tag that the document describes", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][a-zA-Z0-9]+$/.test(id))).toEqual([]);
    const tags = new Set(spec.tags.map(({ name }) => name));
    const untold = operations().filter(({ operation: { summary = "", tags: own = [] } }) => {
      return summary.length < 5 || own.length !== 1 || !own.every((tag) => tags.has(tag));
    });
    expect(untold.map(({ name }) => name)).toEqual([]);
  });

  it("200 has a schema for each status, problem details for each error but in a dialect of its own", () => {
    const wrong = operations().flatMap(({ name, operation: { responses, tags = [] } }) =>
      Object.entries(responses)
        .filter(([status, { content = {}, description }]) => {
          if (status === "101" || status === "204") return false;
          const ok = OTHER_TYPES.find((each) => content[each] !== undefined) ?? "application/json";
          const error = tags.some((tag) => DIALECTS.includes(tag))
            ? "application/json"
            : "application/problem+json";
          const type = Number(status) < 400 ? ok : error;
          return content[type]?.schema === undefined || description.length < 2;
        })
        .map(([status]) => `${name} ${status}`),
    );
    expect(wrong).toEqual([]);
  });

  it("200 has every success field typed", () => {
    const bare = operations().filter(({ operation }) => {
      const { responses } = operation;
      if (isStream(operation)) return false;
      const success = Object.entries(responses).find(([status]) => status.startsWith("2"))?.[1];
      const [content] = Object.values(success?.content ?? {});
      const schema = content?.schema;
      return success !== undefined && (schema === undefined || Object.keys(schema).length === 0);
    });
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  it("200 has parameters with bounds, and words where the name does not say it all", () => {
    const plain = new Set([
      "limit",
      "offset",
      "symbol",
      "id",
      "pattern",
      "rule",
      "accepted",
      "status",
      "type",
    ]);
    const unbounded: string[] = [];
    const undescribed: string[] = [];
    for (const { name, operation } of operations()) {
      for (const { name: parameter, schema, description } of operation.parameters ?? []) {
        const { type, pattern, maxLength, enum: values, maximum, minimum, format } = schema;
        const bounded =
          type === "string"
            ? [pattern, maxLength, values, format].some((fact) => fact !== undefined) ||
              description !== undefined
            : type === "boolean" || (maximum !== undefined && minimum !== undefined);
        if (!bounded) unbounded.push(`${name} ${parameter}`);
        if (values === undefined && !plain.has(parameter) && description === undefined) {
          undescribed.push(`${name} ${parameter}`);
        }
      }
    }
    expect(unbounded).toEqual([]);
    expect(undescribed).toEqual([]);
  });

  it("200 has defaults of the documented type", () => {
    const found = operations().flatMap(({ name, operation: { parameters = [] } }) =>
      parameters.map((parameter) => ({ name: `${name} ${parameter.name}`, schema: parameter.schema })),
    );
    const wrong = found.filter(({ schema: { type, default: preset } }) => {
      if (preset === undefined) return false;
      return type === "integer" || type === "number" ? typeof preset !== "number" : typeof preset !== type;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(found.filter(({ schema }) => schema.default !== undefined).length).toBeGreaterThan(20);
  });

  it("200 names shared shapes, refers to none that is missing and keeps none that is unused", () => {
    const text = JSON.stringify(spec);
    const referred = new Set([...text.matchAll(/#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
    const named = Object.keys(spec.components.schemas);
    expect([...referred].sort()).toEqual([...named].sort());
    expect(named).toEqual(expect.arrayContaining(["Alert", "Candle", "Quote", "Problem", "ScannerStatus"]));
  });

  it("200 lets a body be absent exactly where the server does", async () => {
    const bodies = operations().filter(({ operation }) => operation.requestBody !== undefined);
    const optional = bodies.filter(({ operation }) => operation.requestBody?.required === false);
    expect(optional.map(({ operation }) => operation.operationId).sort()).toEqual([
      "callHookBySecret",
      "closePaperTradeById",
      "detectFusedFormerly",
      "dismissAlert",
      "dismissAlertAlias",
      "replayDeadNotifications",
      "resetPaperAccount",
      "setScannerConfig",
      "startScanner",
    ]);
    for (const { path, method, operation } of bodies) {
      const id = path.includes("/accounts/") ? "00000000-0000-4000-8000-000000000000" : "1";
      const url = path.replace(/\{[^}]+\}/g, id);
      const answer = await program.call({ method: method.toUpperCase() as "POST", url });
      if (operation.requestBody?.required === true) expect(answer.statusCode).toBe(400);
      else expect(answer.statusCode).not.toBe(400);
    }
  });
});

describe("the document and the routes", () => {
  /** `GET /api/alerts/{id}` of each route that was registered, without the HEAD beside each GET. */
  function registered(): string[] {
    return program.routes
      .list()
      .filter(({ method }) => method !== "HEAD")
      .map(({ method, url }) => `${method} ${url.replace(/(?<!:):(\w+)/g, "{$1}").replace("::", ":")}`);
  }

  it("hold the same operations, but for pages and metrics", () => {
    const documented = operations().map(({ name }) => name);
    const served = registered();
    expect(documented.filter((name) => !served.includes(name))).toEqual([]);
    const hidden = served.filter((name) => !documented.includes(name));
    expect(hidden.filter((name) => !UNDOCUMENTED.test(name.split(" ")[1] ?? ""))).toEqual([]);
  });

  it("every GET of the document is served", async () => {
    for (const { path, method } of operations().filter((listed) => listed.method === "get")) {
      const answer = await program.call({
        method: method.toUpperCase() as "GET",
        url: path.replace(/\{[^}]+\}/g, "1") + (path === ENDLESS ? ENDED : ""),
      });
      if (path === ENDLESS) expect(answer.headers["content-type"]).toContain("text/event-stream");
      else expect(answer.json<{ code?: string }>().code ?? "ok", path).not.toBe("route_not_found");
    }
  });
});

describe("the checker of answers", () => {
  it("finds an undeclared status, a missing field, an additional field and a wrong type", () => {
    const check = createSpecChecker(spec);
    const headers = { "content-type": "application/json; charset=utf-8" };
    const good = { status: "alive" };
    expect(check("GET", "/livez", { statusCode: 200, headers, body: JSON.stringify(good) })).toEqual([]);
    expect(check("GET", "/livez", { statusCode: 201, headers, body: "{}" })).toHaveLength(1);
    expect(check("GET", "/livez", { statusCode: 200, headers, body: "{}" })).not.toEqual([]);
    const more = JSON.stringify({ ...good, secret: 1 });
    expect(check("GET", "/livez", { statusCode: 200, headers, body: more })).not.toEqual([]);
    const plain = { "content-type": "text/plain" };
    expect(check("GET", "/livez", { statusCode: 200, headers: plain, body: "{}" })).toHaveLength(1);
    expect(check("GET", "/nowhere", { statusCode: 200, headers, body: "{}" })).toHaveLength(1);
  });

  it("prefers fixed segments over parameters", () => {
    expect(specPath(spec, "/api/alerts/stats")).toBe("/api/alerts/stats");
    expect(specPath(spec, "/api/alerts/7")).toBe("/api/alerts/{id}");
    expect(specPath(spec, "/api/alerts/dismiss/7")).toBe("/api/alerts/dismiss/{id}");
    expect(specPath(spec, "/api/nothing")).toBeNull();
  });
});
