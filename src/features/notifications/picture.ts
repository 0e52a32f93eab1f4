import { LRUCache } from "lru-cache";
import { z } from "zod";
import { within } from "../../platform/deadline.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Means, Picture } from "./define.js";

/** A package that an administrator may install beside the others; without it pictures are SVG. */
const RENDERER = "@resvg/resvg-js";
const WIDTH_PX = 1_000;
const PATIENCE_MS = 3_000;

type Render = (svg: string, options: object) => Promise<{ asPng(): Uint8Array }>;

const rendererSchema = z.object({
  renderAsync: z.custom<Render>((value) => typeof value === "function"),
});

/** Draws what messages are about; each once, however many channels tell of it. */
export function createPictures(options: {
  /** As SVG. */
  readonly draw: (detectionId: number) => Promise<string>;
  readonly log: Log;
  /** The package that makes PNG of it. */
  readonly load?: () => Promise<unknown>;
}): Means["picture"] {
  const { draw, log, load = () => import(RENDERER) } = options;
  const drawn = new LRUCache<number, Promise<Picture | null>>({ max: 100, ttl: 600_000 });
  let renderer: Promise<Render | null> | undefined;

  async function findRenderer(): Promise<Render | null> {
    try {
      return rendererSchema.parse(await load()).renderAsync;
    } catch (error) {
      log.debug({ reason: messageOf(error) }, "pictures of notifications stay SVG");
      return null;
    }
  }

  async function make(id: number): Promise<Picture | null> {
    try {
      const svg = await within(PATIENCE_MS, () => draw(id));
      renderer ??= findRenderer();
      const render = await renderer;
      if (render === null) return { name: "pattern.svg", type: "image/svg+xml", bytes: Buffer.from(svg) };
      const image = await render(svg, { fitTo: { mode: "width", value: WIDTH_PX }, background: "white" });
      return { name: "pattern.png", type: "image/png", bytes: Buffer.from(image.asPng()) };
    } catch (error) {
      // A message without its picture is worth more than none.
      log.warn({ detection: id, reason: messageOf(error) }, "a pattern was not drawn for a notification");
      return null;
    }
  }

  return async ({ detectionId }) => {
    if (detectionId === null) return null;
    const known = drawn.get(detectionId) ?? make(detectionId);
    drawn.set(detectionId, known);
    return known;
  };
}
