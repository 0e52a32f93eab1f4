import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { cpus, freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";

export interface MachineState {
  readonly memory: { readonly totalGb: number; readonly availableGb: number; readonly usedPercent: number };
  readonly disk: { readonly totalGb: number; readonly freeGb: number; readonly usedPercent: number };
  /** Busy share of all processors since the reading before; null for the first. */
  readonly cpuPercent: number | null;
}

const GB = 1024 ** 3;

/** A function that reads the state of the machine. @param folder lies on the disk that counts, or will. */
export function createMachineReader(folder: string): () => Promise<MachineState> {
  let before = processorTimes();
  return async () => {
    const total = totalmem();
    const available = availableMemory();
    const disk = await statfs(nearest(folder));
    const size = disk.blocks * disk.bsize;
    const free = disk.bavail * disk.bsize;
    const now = processorTimes();
    const elapsed = now.total - before.total;
    const cpuPercent = elapsed > 0 ? (100 * (now.busy - before.busy)) / elapsed : null;
    before = now;
    return {
      memory: {
        totalGb: total / GB,
        availableGb: available / GB,
        usedPercent: (100 * (total - available)) / total,
      },
      disk: {
        totalGb: size / GB,
        freeGb: free / GB,
        usedPercent: size > 0 ? (100 * (size - free)) / size : 0,
      },
      cpuPercent,
    };
  };
}

/** The folder, or the first above it that is there. */
function nearest(folder: string): string {
  let there = resolve(folder);
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  return there;
}

function processorTimes(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    total += sum;
    busy += sum - times.idle;
  }
  return { busy, total };
}

/** Memory that programs can still get; what Linux calls free leaves out what its caches would give back. */
function availableMemory(): number {
  if (process.platform !== "linux") return freemem();
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"));
  return line === null ? freemem() : Number(line[1]) * 1024;
}
