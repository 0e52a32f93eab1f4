import { describeFaults } from "../fixtures/fault-trials.js";
import { TRADIER } from "../fixtures/vendor-rows/tradier.js";

describeFaults(TRADIER);
