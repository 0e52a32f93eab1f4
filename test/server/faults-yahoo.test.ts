import { describeTroubles } from "../fixtures/troubled-program.js";
import { YAHOO } from "../fixtures/vendor-rows/yahoo.js";

describeTroubles({
  row: YAHOO,
  environment: (url) => ({
    YAHOO_BASE_URL: url,
    YAHOO_COOKIE_URL: `${url}/cookie`,
    YAHOO_FEED_URL: url,
  }),
  symbols: ["AAPL", "MSFT"],
  strangers: ["KO", "PEP", "MCD"],
  besides: ({ pathname }) => (pathname.endsWith("/search") ? { body: { quotes: [] } } : null),
  faults: [
    "silence",
    "429 for two minutes",
    "401 with Invalid A",
    "502 with <!DOCTYPE",
    "a page",
    "half an answer",
    "a reset",
    "an error in 200",
  ],
  named: null,
  live: true,
});
