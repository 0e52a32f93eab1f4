import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProcess } from "./process.js";
import { openSetting } from "./setting.js";

const SECONDS = Number(process.env.TRIAL_SECONDS ?? 60);
const EVERY_S = 2;

const setting = openSetting();

interface ScanRow {
  slot: Date;
  owner: string;
  status: string;
  attempts: number;
}

function start(name: string) {
  return startProcess({
    DATABASE_URL: setting.database.url,
    DATA_DIR: join(setting.folder, name),
    BACKEND_SCAN_INTERVAL: String(EVERY_S),
    SCAN_INTERVALS: "1m,5m",
    ALERT_CONFIDENCE_THRESHOLD: "0.3",
    ALERT_DEDUPE_MINUTES: "0",
  });
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

describe("two instances on one Postgres", () => {
  it(`scan each interval once for ${SECONDS} s, one of them killed and one frozen on the way`, async () => {
    const [first, second] = await Promise.all([start("a"), start("b")]);
    await sleep(SECONDS / 2);
    const before = await setting.read<ScanRow>(
      "select slot, owner, status, attempts from scans order by slot",
    );
    const leader = before.at(-1)?.owner.includes(`:${first.pid}:`) === true ? first : second;
    const other = leader === first ? second : first;
    leader.kill("SIGKILL");
    const killedAt = Date.now();
    await leader.ended();
    await sleep(SECONDS / 4);
    const third = await start("c");
    // The holder is frozen past its lease: the newcomer takes over, and the frozen one may not write any more.
    other.kill("SIGSTOP");
    await sleep(20);
    other.kill("SIGCONT");
    await sleep(SECONDS / 4);
    const scans = await setting.read<ScanRow>(
      "select slot, owner, status, attempts from scans order by slot",
    );
    const [{ doubled }] = await setting.read<{ doubled: number }>(
      `select count(*)::int as doubled from (select detection_id from alerts group by 1 having count(*) > 1) d`,
    );
    const [{ alerts, events }] = await setting.read<{ alerts: number; events: number }>(
      `select (select count(*)::int from alerts) as alerts,
         (select count(*)::int from events where topic = 'alerts') as events`,
    );
    for (const running of [other, third]) running.kill("SIGTERM");
    expect(await other.ended()).toBe(0);
    expect(await third.ended()).toBe(0);

    const taken = scans.find(
      ({ slot, owner }) => slot.getTime() > killedAt && !owner.includes(`:${leader.pid}:`),
    );
    const takeOverMs = (taken?.slot.getTime() ?? Number.POSITIVE_INFINITY) - killedAt;
    const aligned = scans.filter(({ slot }) => slot.getTime() % (EVERY_S * 1_000) === 0);
    expect(new Set(scans.map(({ slot }) => slot.getTime())).size).toBe(scans.length);
    expect(before.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(scans.filter(({ status }) => status === "finished").length).toBeGreaterThan(scans.length - 3);
    expect(takeOverMs).toBeLessThan(15_000);
    expect(doubled).toBe(0);
    expect(events).toBe(alerts);
    const owners = new Set(scans.map(({ owner }) => owner.split(":")[1]));
    process.stdout.write(
      `${scans.length} slots (${aligned.length} on the grid), each scanned by one instance; ${owners.size} instances took turns; ` +
        `begun more than once after a kill or freeze: ${scans.filter(({ attempts }) => attempts > 1).length}; ` +
        `taken over ${Math.max(0, takeOverMs)} ms after the kill; ${alerts} alerts, ${events} events, 0 doubled\n`,
    );
  });
});
