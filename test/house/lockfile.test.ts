import { describe, expect, it } from "vitest";
import { read } from "./tree.js";

interface Locked {
  version?: string;
  integrity?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path]) => path !== "");
const names = new Set(locked.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)));

describe("package-lock.json", () => {
  it("pins every package by version and content, from whichever registry", () => {
    expect(locked.length).toBeGreaterThan(100);
    for (const [path, entry] of locked) {
      expect(entry, path).toMatchObject({ version: expect.any(String), integrity: expect.any(String) });
      expect(entry.resolved, path).toBeUndefined();
    }
  });

  it("holds the binaries of every platform, or an empty npm cache refuses to install", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !names.has(name))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });
});
