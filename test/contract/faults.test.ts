import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AppError } from "../../src/platform/errors.js";
import { PROVIDER_NAMES } from "../../src/providers/index.js";
import { ask, gatewayOf, LIMIT_MS, now, timed } from "../fixtures/fault-trials.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { FAULTS } from "../fixtures/stand-in.js";
import { startVendor } from "../fixtures/vendor.js";
import { VENDORS } from "../fixtures/vendors.js";

describe("faults", () => {
  it("are forty at least, whoever the vendor is", () => {
    expect(FAULTS.filter(({ failure }) => failure !== null).length).toBeGreaterThanOrEqual(40);
    for (const { trials } of VENDORS) {
      for (const { faults } of trials) {
        const names = [...FAULTS, ...faults].map(({ name }) => name);
        expect(names.length).toBe(new Set(names).size);
      }
    }
  });

  it("are tried with every vendor, in a file each", () => {
    const local = ["synthetic", "files"];
    const vendors = PROVIDER_NAMES.filter((name) => !local.includes(name)).sort();
    expect(VENDORS.map(({ name }) => name).sort()).toEqual(vendors);
    const files = readdirSync(new URL(".", import.meta.url)).filter((file) => file.startsWith("faults-"));
    expect(files.sort()).toEqual(vendors.map((name) => `faults-${name}.test.ts`));
  });

  it("that a vendor takes otherwise are among them", () => {
    const names = FAULTS.map(({ name }) => name);
    for (const { meanwhile } of VENDORS)
      expect(names).toEqual(expect.arrayContaining(Object.keys(meanwhile)));
  });
});

describe("sources that hang", () => {
  const [{ open, trials }] = VENDORS;
  const [{ question }] = trials;

  it.concurrent("three in a row leave a caller waiting for less than five seconds", async ({ expect }) => {
    const mute = await startVendor();
    mute.answer(() => () => undefined);
    const providers = ["first", "second", "third"].map((name) => ({ ...open(mute.url, now), name }));
    const { outcome, ms } = await timed(ask(gatewayOf(...providers), question));
    expect(ms).toBeLessThan(LIMIT_MS);
    expect(outcome).toMatchObject({ code: "provider_unavailable" });
    expect((outcome as AppError).message).toMatch(/first: .*second: .*third: /);
    // Each of them was asked.
    expect(mute.requests.length).toBeGreaterThanOrEqual(3);
    await mute.close();
  });

  it.concurrent("leave the one after them time to answer", async ({ expect }) => {
    const mute = await startVendor();
    mute.answer(() => () => undefined);
    const providers = ["first", "second"].map((name) => ({ ...open(mute.url, now), name }));
    const last = createScriptedProvider({ now, name: "last" });
    const { outcome, ms } = await timed(ask(gatewayOf(...providers, last), question));
    expect(ms).toBeLessThan(LIMIT_MS);
    expect(outcome).toMatchObject({ source: "last" });
    await mute.close();
  });
});
