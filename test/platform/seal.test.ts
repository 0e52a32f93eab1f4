import { describe, expect, it } from "vitest";
import { createSeal } from "../../src/platform/seal.js";

const KEY = "k7Qw2Zx9Lm4Vb8Rt1Yp6Nc3Hd5Jf0Gs7";

describe("a seal", () => {
  it("hides what it closes, differently each time, and opens it", () => {
    const seal = createSeal(KEY, "tests");
    const closed = seal.close('{"token":"secret"}');
    expect(closed).not.toContain("secret");
    expect(Buffer.from(closed.slice(3), "base64").toString("latin1")).not.toContain("secret");
    expect(seal.close('{"token":"secret"}')).not.toBe(closed);
    expect(createSeal(KEY, "tests").open(closed)).toBe('{"token":"secret"}');
  });

  it("opens nothing of another key or purpose, nor what was changed", () => {
    const closed = createSeal(KEY, "tests").close("secret");
    expect(createSeal(`${KEY}x`, "tests").open(closed)).toBeNull();
    expect(createSeal(KEY, "others").open(closed)).toBeNull();
    expect(createSeal(undefined, "tests").open(closed)).toBeNull();
    const flipped = `${closed.slice(0, 20)}${closed[20] === "A" ? "B" : "A"}${closed.slice(21)}`;
    expect(createSeal(KEY, "tests").open(flipped)).toBeNull();
    expect(createSeal(KEY, "tests").open("v1:AAAA")).toBeNull();
  });

  it("without a key keeps texts as they are, which a later key still reads", () => {
    const closed = createSeal(undefined, "tests").close("open");
    expect(createSeal(KEY, "tests").open(closed)).toBe("open");
  });
});
