import { describe, expect, it } from "vitest";
import { exampleEnvironment } from "../../src/platform/config.js";
import { VARIABLES } from "../../src/platform/variables.js";
import { filesBelow, read, withoutComments } from "./tree.js";

describe("the environment", () => {
  it(".env.example says what config.ts says", () => {
    expect(read(".env.example")).toBe(exampleEnvironment());
  });

  it("every variable is read: none is dead", () => {
    const readers = filesBelow("src")
      .filter((path) => path.endsWith(".ts") && !/^src\/platform\/(config|variables)\.ts$/.test(path))
      .map((path) => withoutComments(read(path)).replace(/"[^"\n]*"/g, '""'));
    const unread = Object.keys(VARIABLES).filter(
      (name) => !readers.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
    );
    // Only the configuration itself asks: production refuses weak secrets.
    expect(read("src/platform/config.ts")).toContain('config.NODE_ENV === "production"');
    expect(unread).toEqual(["NODE_ENV"]);
  });

  it("every variable says what it is for, in a sentence of one line", () => {
    const bad = Object.entries(VARIABLES).filter(([, { about }]) => !/^[^\n]{8,110}$/.test(about));
    expect(bad.map(([name]) => name)).toEqual([]);
  });
});
