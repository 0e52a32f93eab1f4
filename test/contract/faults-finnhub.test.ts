import { describeFaults } from "../fixtures/fault-trials.js";
import { FINNHUB } from "../fixtures/vendor-rows/finnhub.js";

describeFaults(FINNHUB);
