/** Books and articles that pattern definitions are read against. */
export const NISON = "S. Nison, Japanese Candlestick Charting Techniques, 2nd ed. (2001)";
export const MORRIS = "G. Morris, Candlestick Charting Explained, 3rd ed. (2006)";
export const BULKOWSKI = "T. Bulkowski, Encyclopedia of Candlestick Charts (2008)";
export const CHESLER = "D. Chesler, Trading False Moves with the Hikkake Pattern, Active Trader (April 2004)";
