import { describeTroubles } from "../fixtures/troubled-program.js";
import { KEY } from "../fixtures/vendor-answers.js";
import { POLYGON } from "../fixtures/vendor-rows/polygon.js";

describeTroubles({
  row: POLYGON,
  environment: (url) => ({
    POLYGON_API_KEY: KEY,
    POLYGON_BASE_URL: url,
    POLYGON_CALLS_PER_MINUTE: "0",
    POLYGON_DELAY_MINUTES: "0",
  }),
  symbols: ["AAPL", "MSFT", "BTC-USD"],
  strangers: ["KO", "PEP", "MCD"],
  besides: ({ pathname }) =>
    /^\/v3\/(snapshot|reference\/(tickers|splits|dividends|options))|^\/v2\/reference\/news/.test(pathname) &&
    !/^\/v3\/reference\/tickers\/./.test(pathname)
      ? { body: { status: "OK", results: [] } }
      : null,
  faults: ["silence", "429 for two minutes", "403 with <!DOCTYPE", "a page", "an error in 200"],
  named: ['"AAPL"', '"MSFT"'],
  live: true,
});
