import { describeFaults } from "../fixtures/fault-trials.js";
import { UPSTOX } from "../fixtures/vendor-rows/upstox.js";

describeFaults(UPSTOX);
