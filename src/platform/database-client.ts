import { Socket } from "node:net";
import pg from "pg";

/**
 * A connection that is given up where the server has been asked and then says nothing at all for this long. The
 * driver's own limit costs each query a timer, by whose callback a query outlives the collections of the young heap.
 */
export function watchedClient(silenceMs: number): new (config?: pg.ClientConfig) => pg.Client {
  return class WatchedClient extends pg.Client {
    constructor(config: pg.ClientConfig = {}) {
      const socket = new Socket();
      super({ ...config, stream: () => socket });
      /** Bytes that the server has had when it had answered everything. */
      let answered = 0;
      const settle = () => {
        answered = socket.bytesWritten;
      };
      this.on("connect", settle);
      this.on("drain", settle);
      socket.setTimeout(silenceMs, () => {
        if (socket.bytesWritten > answered) socket.destroy(new Error("Query read timeout"));
      });
    }
  };
}
