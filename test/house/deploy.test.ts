import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { VARIABLES } from "../../src/platform/variables.js";
import { read } from "./tree.js";

const known = new Set([
  ...Object.keys(VARIABLES),
  ...[...read(".env.example").matchAll(/^# ([A-Z_]+)=/gm)].map((match) => match[1]),
]);

interface Compose {
  services: Record<
    string,
    { environment?: Record<string, string>; healthcheck?: object; depends_on?: object }
  >;
}

interface Blueprint {
  services: { type: string; name: string; ipAllowList?: string[]; envVars?: { key: string }[] }[];
  databases: { name: string }[];
}

describe("compose.yaml", () => {
  const compose = parse(read("compose.yaml")) as Compose;

  it("reads only variables that .env.example names", () => {
    const used = [...read("compose.yaml").matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(4);
  });

  it("gives TX only variables that it knows", () => {
    const given = Object.keys(compose.services.tx?.environment ?? {});
    expect(given.filter((name) => !(name in VARIABLES))).toEqual([]);
  });

  it("starts TX after a healthy Postgres and Redis", () => {
    expect(Object.keys(compose.services.tx?.depends_on ?? {})).toEqual(["postgres", "redis"]);
    expect(compose.services.postgres?.healthcheck).toBeDefined();
    expect(compose.services.redis?.healthcheck).toBeDefined();
  });
});

describe("render.yaml", () => {
  const blueprint = parse(read("render.yaml")) as Blueprint;

  it("gives TX only variables that it knows, and all that listening there takes", () => {
    const web = blueprint.services.find(({ type }) => type === "web");
    const given = (web?.envVars ?? []).map(({ key }) => key);
    expect(given.filter((name) => !(name in VARIABLES))).toEqual([]);
    for (const name of ["HOST", "SECRET_KEY", "ADMIN_API_KEY", "DATABASE_URL"]) expect(given).toContain(name);
  });

  it("keeps cache and database inside", () => {
    const cache = blueprint.services.find(({ type }) => type === "keyvalue");
    expect(cache?.ipAllowList).toEqual([]);
    expect(blueprint.databases.map(({ name }) => name)).toEqual(["tx-db"]);
  });
});

describe("package-lock.json", () => {
  it("names no registry host", () => {
    expect(read("package-lock.json")).not.toMatch(/"resolved":/);
  });
});
