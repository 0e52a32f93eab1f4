import { describe, expect, it } from "vitest";
import { createMetrics } from "../../src/platform/metrics.js";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/y;

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) throw new Error(`labels cannot be read: ${text}`);
    const [, name = "", value = ""] = found;
    if (name in labels) throw new Error(`label twice: ${text}`);
    labels[name] = value.replace(/\\(["\\n])/g, (_, code) => (code === "n" ? "\n" : code));
    if (text[LABEL.lastIndex] === ",") LABEL.lastIndex++;
  }
  return labels;
}

/** Prometheus's text format 0.0.4, strictly. */
function parse(text: string): { types: Map<string, string>; samples: Sample[] } {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n").filter((part) => part !== "")) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type !== null) {
      if (types.has(type[1] ?? "")) throw new Error(`type twice: ${line}`);
      types.set(type[1] ?? "", type[2] ?? "");
    } else if (!/^# HELP [a-zA-Z_:][\w:]* \S/.test(line)) {
      const found =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|-Inf|Nan|NaN)$/.exec(line);
      if (found === null) throw new Error(`cannot be read: ${line}`);
      const [, name = "", labels = "", value = ""] = found;
      samples.push({ name, labels: parseLabels(labels), value: value === "+Inf" ? Infinity : Number(value) });
    }
  }
  return { types, samples };
}

const familyOf = (name: string) => name.replace(/_(bucket|sum|count)$/, "");

describe("metrics", () => {
  it("are text that a scraper reads, whatever is in a label", async () => {
    const metrics = createMetrics('1.0 "x" \\ \n y');
    metrics.httpRequests.inc({ endpoint: "/api/quotes/:symbol", method: "GET", status: "200" }, 3);
    metrics.httpRequests.inc({ endpoint: 'a"b\\c\nd{},=', method: "GET", status: "404" });
    metrics.httpLatency.observe({ endpoint: "/x", method: "GET" }, 0.003);
    metrics.httpLatency.observe({ endpoint: "/x", method: "GET" }, 99);
    metrics.scannerActive.set(1);
    const { types, samples } = parse(await metrics.registry.metrics());
    const undeclared = samples.filter(({ name }) => !types.has(name) && !types.has(familyOf(name)));
    expect(undeclared).toEqual([]);
    const keys = samples.map(({ name, labels }) => name + JSON.stringify(Object.entries(labels).sort()));
    expect(new Set(keys).size).toBe(keys.length);
    const requests = samples.filter(({ name }) => name === "tx_http_requests_total");
    expect(requests.map(({ labels, value }) => [labels.endpoint, value])).toEqual([
      ["/api/quotes/:symbol", 3],
      ['a"b\\c\nd{},=', 1],
    ]);
    expect(samples.find(({ name }) => name === "tx_build_info")?.labels).toEqual({
      version: '1.0 "x" \\ \n y',
    });
  });

  it("histograms add up", async () => {
    const metrics = createMetrics("1");
    for (const seconds of [0.0005, 0.003, 0.2, 99]) {
      metrics.httpLatency.observe({ endpoint: "/x", method: "GET" }, seconds);
    }
    const { samples } = parse(await metrics.registry.metrics());
    const of = (name: string) => samples.filter((sample) => sample.name === name);
    const buckets = of("tx_http_request_latency_seconds_bucket");
    const counts = buckets.map(({ value }) => value);
    expect(counts.every((count, i) => i === 0 || count >= (counts[i - 1] ?? 0))).toBe(true);
    expect(buckets.at(-1)).toMatchObject({ labels: { le: "+Inf" }, value: 4 });
    expect(buckets.find(({ labels }) => labels.le === "0.005")?.value).toBe(2);
    expect(of("tx_http_request_latency_seconds_count")[0]?.value).toBe(4);
    expect(of("tx_http_request_latency_seconds_sum")[0]?.value).toBeCloseTo(99.2035);
  });

  it("have the names that dashboards ask for, of the type they expect", async () => {
    const { types } = parse(await createMetrics("1").registry.metrics());
    expect(types.get("tx_http_requests_total")).toBe("counter");
    expect(types.get("tx_http_request_latency_seconds")).toBe("histogram");
    expect(types.get("tx_scanner_active")).toBe("gauge");
    expect(types.get("process_resident_memory_bytes")).toBe("gauge");
    expect([...types.keys()].filter((name) => name.startsWith("tx_") && !/^tx_[a-z_]+$/.test(name))).toEqual(
      [],
    );
  });

  it("each registry stands alone", async () => {
    const [one, other] = [createMetrics("1"), createMetrics("1")];
    one.alerts.inc({ pattern: "hammer" });
    expect(await one.registry.metrics()).toContain('tx_alerts_total{pattern="hammer"} 1');
    expect(await other.registry.metrics()).not.toContain("hammer");
  });
});
