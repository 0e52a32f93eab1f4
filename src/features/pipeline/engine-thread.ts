import { parentPort, workerData } from "node:worker_threads";
import { ensure } from "../../core/base/assert.js";
import { createOrders } from "./engine-orders.js";
import type { Order, ThreadSetup } from "./messages.js";

// A thread that turns ticks into bars and decisions, one order after another.

const port = ensure(parentPort, "the engine runs in a thread of its own");
const answer = createOrders(workerData as ThreadSetup);

port.on("message", (order: Order) => {
  const { reply, buffers } = answer(order);
  port.postMessage(reply, [...buffers]);
});
