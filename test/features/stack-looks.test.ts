import { describe, expect, it } from "vitest";
import { stackLookAt } from "../../src/core/learning/stack-candidate.js";
import type { ModelVersion } from "../../src/features/models/store.js";
import type { SettledVote } from "../../src/features/retraining/layer-store.js";
import { relearnStack } from "../../src/features/retraining/stack.js";
import { judgeAtHand } from "../fixtures/judge.js";
import { sized } from "../fixtures/sizes.js";
import { votesOf } from "../fixtures/votes.js";

/** A server whose versions are kept, and whose alerts end one after the other. */
function serverOf(all: readonly SettledVote[]) {
  const versions: ModelVersion[] = [];
  const sizes: number[] = [];
  let [ended, gone] = [0, 0];
  const kept = () => all.slice(gone, ended);
  const layers = {
    settledAfter: async (outcome: number) => kept().filter((vote) => vote.outcome > outcome).length,
    newestSettled: async (_: object, limit: number) => kept().slice(-limit),
  };
  type Parts = Parameters<typeof relearnStack>;
  const registry: Parts[0] = {
    list: async () => versions.slice(-1),
    serving: () => null,
    refresh: async () => undefined,
    enter: async (model, { promoted }) => {
      const version: ModelVersion = {
        ...model,
        ...{ id: versions.length + 1, version: `1.${versions.length}.0`, createdAtMs: ended },
        status: promoted ? "active" : "refused",
        parameters: JSON.parse(JSON.stringify(model.parameters)),
      };
      versions.push(version);
      sizes.push(ended);
      return version;
    },
  };
  return {
    versions,
    sizes,
    forget: (count: number) => {
      gone = count;
    },
    async passAt(count: number) {
      ended = count;
      await relearnStack(registry, { layers, judge: judgeAtHand }, () => undefined);
    },
  };
}

async function promotedBy(votes: readonly SettledVote[]): Promise<number | null> {
  const server = serverOf(votes);
  for (let count = 50; count <= votes.length; count += 50) {
    await server.passAt(count);
    if (server.versions.at(-1)?.status === "active") return count;
  }
  return null;
}

describe("looks at weights of layers", () => {
  // Of looks that spend 2.5 % in all.
  const SERVERS = sized({ usual: 10, full: 60 });
  const MOST = sized({ usual: 1, full: 3 });

  it(`promote in ${MOST} or fewer of ${SERVERS} servers on noise, with a pass at each 50 new decisions`, async () => {
    let promoted = 0;
    for (let seed = 1; seed <= SERVERS; seed++)
      if ((await promotedBy(votesOf(2_200, seed, "sentiment", 0))) !== null) promoted++;
    expect(promoted).toBeLessThanOrEqual(MOST);
  }, 120_000);

  it("promote where one layer tells twice its value, by 1,600 decisions", async () => {
    for (let seed = 1; seed <= sized({ usual: 4, full: 8 }); seed++)
      expect(await promotedBy(votesOf(1_600, seed, "sentiment", 2))).not.toBeNull();
  }, 60_000);

  it("are made once at 200 decisions and at each doubling, after a restart and with rows gone, too", async () => {
    const server = serverOf(votesOf(1_000, 70, "rules", 0));
    for (const count of [150, 199, 210, 260, 399, 420, 430, 799]) await server.passAt(count);
    expect(server.sizes).toEqual([210, 420]);
    server.forget(400);
    for (const count of [810, 900, 1_000]) await server.passAt(count);
    expect(server.sizes).toEqual([210, 420, 810]);
    expect(server.versions[2].parameters).toMatchObject({ decisions: 810, look: 2 });
  });

  it("count a version that does not say of how many decisions as made at those up to its last", async () => {
    const server = serverOf(votesOf(500, 71, "rules", 0));
    await server.passAt(300);
    const [before] = server.versions;
    const { decisions: _, ...parameters } = before.parameters;
    server.versions[0] = { ...before, parameters };
    await server.passAt(399);
    expect(server.sizes).toEqual([300]);
    await server.passAt(400);
    expect(server.sizes).toEqual([300, 400]);
  });

  it("spend 2.5 % in all", () => {
    expect(stackLookAt(199)).toBeNull();
    const levels = Array.from({ length: 40 }, (_, k) => stackLookAt(200 * 2 ** k)?.level ?? Number.NaN);
    expect(levels[0]).toBe(0.0125);
    expect(levels.reduce((sum, each) => sum + each, 0)).toBeCloseTo(0.025, 2);
    expect(stackLookAt(401)).toMatchObject({ number: 1, from: 400 });
  });
});
