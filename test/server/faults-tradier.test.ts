import { describeTroubles } from "../fixtures/troubled-program.js";
import { KEY } from "../fixtures/vendor-answers.js";
import { TRADIER } from "../fixtures/vendor-rows/tradier.js";

describeTroubles({
  row: TRADIER,
  environment: (url) => ({ TRADIER_ACCESS_TOKEN: KEY, TRADIER_BASE_URL: url }),
  symbols: ["AAPL", "MSFT"],
  strangers: ["KO", "PEP", "MCD"],
  besides({ pathname }) {
    if (pathname.endsWith("/lookup")) return { body: { securities: null } };
    if (pathname.endsWith("/options/expirations")) return { body: { expirations: null } };
    return pathname.endsWith("/options/chains") ? { body: { options: null } } : null;
  },
  faults: ["silence", "429 for two minutes", "the words of 401", "a page", "a fault in 200"],
  named: ['"AAPL"', '"MSFT"'],
  live: true,
});
