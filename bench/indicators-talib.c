/*
 * Times TA-Lib functions over columns of doubles: harness <file> <bars> <rounds>
 * The file holds open, high, low, close, volume one after another. Each round calls every function once, so that
 * each finds the caches as the others left them. Prints "<name> <ns per bar>" of the fastest round for each
 * function; ADX is counted with its two directional indicators, AROON with its oscillator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ta_libc.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const int n = atoi(argv[2]);
  const int rounds = atoi(argv[3]);
  double *column[5];
  double *out[3];
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 3;
  for (int k = 0; k < 5; k++) {
    column[k] = malloc(sizeof(double) * n);
    if (fread(column[k], sizeof(double), n, file) != (size_t)n) return 4;
  }
  fclose(file);
  for (int k = 0; k < 3; k++) {
    out[k] = malloc(sizeof(double) * n);
    memset(out[k], 0, sizeof(double) * n);
  }
  const double *high = column[1], *low = column[2], *close = column[3], *volume = column[4];
  int begin, count;
  TA_Initialize();

  const char *names[32];
  double best[32];
  int functions = 0;

#define TIME(name, call)                                                                                     \
  do {                                                                                                       \
    const double started = now();                                                                            \
    call;                                                                                                    \
    const double taken = (now() - started) / n;                                                              \
    names[functions] = name;                                                                                 \
    if (round == 0 || taken < best[functions]) best[functions] = taken;                                      \
    functions++;                                                                                             \
  } while (0)
#define ALL 0, n - 1
#define INTO &begin, &count, out[0]

  for (int round = 0; round < rounds; round++) {
    functions = 0;
    TIME("sma", TA_SMA(ALL, close, 14, INTO));
    TIME("ema", TA_EMA(ALL, close, 14, INTO));
    TIME("wma", TA_WMA(ALL, close, 14, INTO));
    TIME("rsi", TA_RSI(ALL, close, 14, INTO));
    TIME("macd", TA_MACD(ALL, close, 12, 26, 9, INTO, out[1], out[2]));
    TIME("bbands", TA_BBANDS(ALL, close, 20, 2, 2, TA_MAType_SMA, INTO, out[1], out[2]));
    TIME("atr", TA_ATR(ALL, high, low, close, 14, INTO));
    TIME("adx", (TA_ADX(ALL, high, low, close, 14, INTO), TA_PLUS_DI(ALL, high, low, close, 14, &begin, &count, out[1]),
                 TA_MINUS_DI(ALL, high, low, close, 14, &begin, &count, out[2])));
    TIME("stoch", TA_STOCH(ALL, high, low, close, 14, 3, TA_MAType_SMA, 3, TA_MAType_SMA, INTO, out[1]));
    TIME("obv", TA_OBV(ALL, close, volume, INTO));
    TIME("cci", TA_CCI(ALL, high, low, close, 14, INTO));
    TIME("mfi", TA_MFI(ALL, high, low, close, volume, 14, INTO));
    TIME("willr", TA_WILLR(ALL, high, low, close, 14, INTO));
    TIME("roc", TA_ROC(ALL, close, 10, INTO));
    TIME("trix", TA_TRIX(ALL, close, 15, INTO));
    TIME("ad", TA_AD(ALL, high, low, close, volume, INTO));
    TIME("aroon", (TA_AROON(ALL, high, low, 14, INTO, out[1]), TA_AROONOSC(ALL, high, low, 14, &begin, &count, out[2])));
    TIME("stddev", TA_STDDEV(ALL, close, 20, 1, INTO));
    TIME("linreg_slope", TA_LINEARREG_SLOPE(ALL, close, 14, INTO));
    TIME("kama", TA_KAMA(ALL, close, 30, INTO));
    TIME("sar", TA_SAR(ALL, high, low, 0.02, 0.2, INTO));
  }
  for (int k = 0; k < functions; k++) printf("%s %.4f\n", names[k], best[k]);
  TA_Shutdown();
  return 0;
}
