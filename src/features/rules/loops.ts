import type { Bus } from "../../platform/bus.js";
import { noticeHeard } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Digests } from "./digest.js";
import type { Watching } from "./watching.js";

const CLOSE_EVERY_MS = 5_000;
const QUOTE_EVERY_MS = 10_000;
const TIMEOUT_MS = 120_000;

/**
 * The loops that hold rules against the market: by closed bars, with the digests, and by quotes. The first also runs as soon as
 * the scanner tells of a bar. @param trigger makes the first run now.
 */
export function createRuleLoops(
  { watching, digests }: { readonly watching: Watching; readonly digests: Digests },
  { bus, log, trigger }: { readonly bus: Bus; readonly log: Log; readonly trigger: () => void },
): readonly [LoopDefinition, LoopDefinition] {
  bus.subscribe(noticeHeard, ({ topic }) => {
    if (topic.startsWith("candles:")) trigger();
  });
  const told = (watch: string, fired: number) => {
    if (fired > 0) log.info({ watch, fired }, "rules fired");
  };
  return [
    {
      name: "rules",
      everyMs: () => CLOSE_EVERY_MS,
      timeoutMs: TIMEOUT_MS,
      async run(_, signal) {
        told("close", await watching.look("close", signal));
        await digests.tell(signal);
      },
    },
    {
      name: "rule-quotes",
      everyMs: () => QUOTE_EVERY_MS,
      timeoutMs: TIMEOUT_MS,
      run: async (_, signal) => told("intrabar", await watching.look("intrabar", signal)),
    },
  ];
}
