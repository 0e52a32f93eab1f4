import { describe, expect, it } from "vitest";
import { closeAll } from "../../src/platform/closing.js";
import { createRecordedLog, silentLog } from "../fixtures/log.js";

describe("closing", () => {
  it("takes every step in turn, also after those that fail, and says which did", async () => {
    const recorded = createRecordedLog();
    const taken: string[] = [];
    const steps = {
      first: async () => void taken.push("first"),
      second: () => Promise.reject(new Error("no space left")),
      third: () => {
        throw new Error("thrown at once");
      },
      none: () => undefined,
      last: async () => void taken.push("last"),
    };
    await expect(closeAll(recorded.log, steps)).rejects.toThrow("failed to close: second, third");
    expect(taken).toEqual(["first", "last"]);
    expect(recorded.lines()).toHaveLength(2);
    expect(recorded.lines().join()).toContain("no space left");
  });

  it("without trouble says nothing", async () => {
    await closeAll(silentLog, { only: async () => undefined });
  });
});
