import { describe, expect, it } from "vitest";
import { createBus, defineEvent } from "../../src/platform/bus.js";

const spoke = defineEvent<string>("test.spoke");
const counted = defineEvent<number>("test.counted");

function createHeard() {
  const errors: string[] = [];
  const bus = createBus((error, event) => void errors.push(`${event}: ${String(error)}`));
  return { bus, errors };
}

describe("bus", () => {
  it("tells every listener of a kind, in the order of publishing, and no others", () => {
    const { bus, errors } = createHeard();
    const heard: unknown[] = [];
    bus.subscribe(spoke, (text) => heard.push(["first", text]));
    bus.subscribe(spoke, (text) => heard.push(["second", text]));
    bus.subscribe(counted, (number) => heard.push(number));
    bus.publish(spoke, "a");
    bus.publish(counted, 1);
    bus.publish(spoke, "b");
    expect(heard).toEqual([["first", "a"], ["second", "a"], 1, ["first", "b"], ["second", "b"]]);
    expect(errors).toEqual([]);
  });

  it("goes on when a listener throws, and tells of it", () => {
    const { bus, errors } = createHeard();
    const heard: string[] = [];
    bus.subscribe(spoke, () => {
      throw new Error("broken");
    });
    bus.subscribe(spoke, (text) => heard.push(text));
    bus.publish(spoke, "a");
    expect(heard).toEqual(["a"]);
    expect(errors).toEqual(["test.spoke: Error: broken"]);
  });

  it("a listener that ended its subscription hears nothing more, though it ends within a publication", () => {
    const { bus } = createHeard();
    const heard: string[] = [];
    const end = bus.subscribe(spoke, (text) => {
      heard.push(text);
      end();
    });
    bus.subscribe(spoke, (text) => heard.push(`other ${text}`));
    bus.publish(spoke, "a");
    bus.publish(spoke, "b");
    end();
    expect(heard).toEqual(["a", "other a", "other b"]);
  });

  it("publishing to nobody is nothing", () => {
    const { bus, errors } = createHeard();
    bus.publish(spoke, "a");
    expect(errors).toEqual([]);
  });
});
