import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { sized } from "../fixtures/sizes.js";

const script = fileURLToPath(new URL("session-digest.ts", import.meta.url));

/** What the process's own clock shows at the epoch, to see that TZ took effect. */
const HOUR_AT_EPOCH = sized<Readonly<Record<string, number>>>({
  usual: { "America/New_York": 19, "Asia/Kolkata": 5 },
  full: { UTC: 0, "America/New_York": 19, "Asia/Kolkata": 5, "Pacific/Apia": 13 },
});

it("sessions and bars do not depend on the time zone of the process", () => {
  const digests = new Set<string>();
  for (const [zone, hour] of Object.entries(HOUR_AT_EPOCH)) {
    const output = execFileSync(process.execPath, ["--import", "tsx", script], {
      env: { ...process.env, TZ: zone },
      encoding: "utf8",
    });
    const [zoneThere, hourThere, digest] = output.trim().split(" ");
    expect([zoneThere, Number(hourThere)]).toEqual([zone, hour]);
    digests.add(digest);
  }
  expect([...digests]).toHaveLength(1);
}, 60_000);
