import { describe, expect, it } from "vitest";
import { CallWindow, checkFeed, FEED_CALLS, isTold } from "../../src/core/quality/feed.js";

const NOW = Date.UTC(2024, 5, 1);

describe("feeds", () => {
  it("count the last 1,000 calls, failures in the latency too", () => {
    const window = new CallWindow();
    const none = {
      calls: 0,
      successful: 0,
      failed: 0,
      failedLast: 0,
      failedForMs: 0,
      meanMs: null,
      failureRate: null,
    };
    expect(window.health()).toEqual(none);
    for (let i = 0; i < FEED_CALLS; i++) window.add(100, true, NOW + i);
    for (let i = 0; i < 400; i++) window.add(10_000, false, NOW + i);
    const health = window.health();
    expect(health).toEqual({
      calls: 1_000,
      successful: 600,
      failed: 400,
      failedLast: 400,
      failedForMs: 399,
      meanMs: 0.6 * 100 + 0.4 * 10_000,
      failureRate: 0.4,
    });
    expect(checkFeed("yahoo", health)).toMatchObject([
      { code: "failing_feed", severity: "critical", subject: "yahoo", count: 400 },
      { code: "slow_feed", severity: "warning" },
    ]);
  });

  it.each([
    [0.1, 2_000, []],
    [0.11, 2_001, ["warning", "warning"]],
    [0.3, 5_000, ["warning", "warning"]],
    [0.31, 5_001, ["critical", "critical"]],
  ])("a failure rate of %s at %s ms is %j", (failureRate, meanMs, severities) => {
    const calls = 100;
    const failed = failureRate * calls;
    const successful = calls - failed;
    const issues = checkFeed("x", {
      calls,
      successful,
      failed,
      failedLast: 0,
      failedForMs: 0,
      meanMs,
      failureRate,
    });
    expect(issues.map(({ severity }) => severity)).toEqual(severities);
  });

  it("say nothing of a few calls, but that the last ones all failed", () => {
    const window = new CallWindow();
    const found = () =>
      checkFeed("x", window.health()).map(({ severity, detail }) => `${severity} ${detail}`);
    for (let i = 0; i < 5; i++) window.add(9_000, i % 2 === 0, NOW);
    expect(found()).toEqual([]);
    window.add(9_000, false, NOW);
    expect(found()).toEqual([]);
    window.add(9_000, false, NOW);
    expect(found()).toEqual(["warning the last 2 calls all failed"]);
    expect(isTold(window.health())).toBe(false);
    for (let i = 0; i < 200; i++) window.add(10, true, NOW);
    expect(found()).toEqual([]);
    expect(isTold(window.health())).toBe(true);
    for (let i = 0; i < 2; i++) window.add(10, false, NOW);
    expect(found()).toEqual(["warning the last 2 calls all failed"]);
  });

  it.each([
    ["9 failures in a row", 9, 1_000, ["warning the last 9 calls all failed"]],
    ["10 failures in a row", 10, 1_000, ["critical the last 10 calls all failed"]],
    ["290 failures in a row", 290, 1_000, ["critical the last 290 calls all failed"]],
    ["failures for less than five minutes", 3, 149_999, ["warning the last 3 calls all failed"]],
    ["failures for five minutes", 3, 150_000, ["critical the last 3 calls all failed in 300 s"]],
    ["one failure", 1, 1_000, []],
  ])("are dead after %s, however many calls were good before", (_, failures, everyMs, expected) => {
    const window = new CallWindow();
    for (let i = 0; i < FEED_CALLS; i++) window.add(10, true, NOW);
    for (let i = 0; i < failures; i++) window.add(10, false, NOW + i * everyMs);
    const found = checkFeed("x", window.health()).map(({ severity, detail }) => `${severity} ${detail}`);
    expect(found).toEqual(expected);
    window.add(10, true, NOW + failures * everyMs);
    expect(checkFeed("x", window.health()).filter(({ severity }) => severity === "critical")).toEqual([]);
  });
});
