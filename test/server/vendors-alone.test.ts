import { expect, it } from "vitest";
import { startTestProgram } from "../fixtures/program.js";

/** Nobody is there. */
const NOWHERE = "http://127.0.0.1:9";

const VENDORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  yahoo: { YAHOO_BASE_URL: NOWHERE },
  polygon: {
    POLYGON_API_KEY: "key-for-a-test",
    POLYGON_BASE_URL: NOWHERE,
    POLYGON_STREAM_URL: "ws://127.0.0.1:9",
  },
  finnhub: {
    FINNHUB_API_KEY: "key-for-a-test",
    FINNHUB_BASE_URL: NOWHERE,
    FINNHUB_STREAM_URL: "ws://127.0.0.1:9",
  },
  alphavantage: { ALPHAVANTAGE_API_KEY: "key-for-a-test", ALPHAVANTAGE_BASE_URL: NOWHERE },
  tradier: { TRADIER_ACCESS_TOKEN: "key-for-a-test", TRADIER_BASE_URL: NOWHERE },
  upstox: { UPSTOX_ACCESS_TOKEN: "key-for-a-test", UPSTOX_BASE_URL: NOWHERE },
};

it.each(Object.keys(VENDORS))("%s alone starts with the symbols that come with the program", async (name) => {
  const program = await startTestProgram({ environment: { MARKET_DATA: name, ...VENDORS[name] } });
  try {
    program.parts.startLoops();
    expect((await program.call("/health")).statusCode).toBe(200);
  } finally {
    await program.close();
  }
});
