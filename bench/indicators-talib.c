/*
 * Times TA-Lib functions over columns of doubles: harness <file> <bars> <rounds>
 * The file holds open, high, low, close, volume one after another. Each round calls every function once, so that
 * each finds the caches as the others left them. Prints "<name> <ns per bar> <ns per bar>" of the fastest and the
 * median round for each function; ADX is counted with its two directional indicators, AROON with its oscillator.
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

static int ascending(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

#define FUNCTIONS 32
#define ROUNDS 64

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const int n = atoi(argv[2]);
  const int rounds = atoi(argv[3]);
  if (rounds < 1 || rounds > ROUNDS) return 2;
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

  const char *names[FUNCTIONS];
  double taken[FUNCTIONS][ROUNDS];
  int functions = 0;

#define TIME(name, call)                                                                                     \
  do {                                                                                                       \
    const double started = now();                                                                            \
    call;                                                                                                    \
    taken[functions][round] = (now() - started) / n;                                                         \
    names[functions] = name;                                                                                 \
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
  for (int k = 0; k < functions; k++) {
    qsort(taken[k], rounds, sizeof(double), ascending);
    printf("%s %.4f %.4f\n", names[k], taken[k][0], taken[k][rounds / 2]);
  }
  TA_Shutdown();
  return 0;
}
