/*
 * The tick pipeline in C over the same ticks: pipeline <file> <rounds>. The file holds doubles: counts of ticks, symbols
 * and sessions; symbol, time, price, size of the ticks, column by column; opens and closes of the sessions; then points,
 * weights and own kernels of the seven markets. Each round begins anew. Prints ns a tick of the fastest round and of the
 * median one, then what came out: bars and the sum of their figures, synergies and the sum of their qualities, decisions
 * that act and the sum of what they say, and the sum of what is in the matrices in the end, each value times its place.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "pipeline.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double *read_doubles(FILE *file, size_t count) {
  double *values = malloc(sizeof(double) * (count > 0 ? count : 1));
  if (!values || fread(values, sizeof(double), count, file) != count) exit(4);
  return values;
}

static double sum_of(const Matrix *m) {
  const int filled = m->taken < m->rows ? m->taken : m->rows;
  double sum = 0;
  for (int k = 0; k < filled; k++) {
    const double *row = m->values + ((m->taken - filled + k) % m->rows) * m->columns;
    for (int column = 0; column < m->columns; column++) {
      if (!isnan(row[column])) sum += row[column] * (1 + (k * m->columns + column) % 7);
    }
  }
  return sum;
}

#define ROUNDS 64

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const int rounds = atoi(argv[2]);
  FILE *file = fopen(argv[1], "rb");
  if (!file || rounds < 1 || rounds > ROUNDS) return 3;
  const double *counts = read_doubles(file, 3);
  const size_t n = counts[0];
  const int symbols = counts[1];
  Calendar calendar = {.sessions = counts[2]};
  const double *symbol = read_doubles(file, n), *time = read_doubles(file, n);
  const double *price = read_doubles(file, n), *size = read_doubles(file, n);
  calendar.open = read_doubles(file, calendar.sessions);
  calendar.close = read_doubles(file, calendar.sessions);
  References references;
  references.points = read_doubles(file, REGIMES * POINTS * FEATURES);
  references.weights = read_doubles(file, FEATURES);
  references.own = read_doubles(file, REGIMES);
  fclose(file);
  rows_init(&references);
  for (int level = 0; level < 2; level++) {
    const double length = level == 0 ? SHORTER_MS : LONGER_MS;
    double *before = calendar.before[level] = calloc(calendar.sessions + 1, sizeof(double));
    for (int k = 0; k < calendar.sessions; k++)
      before[k + 1] = before[k] + ceil((calendar.close[k] - calendar.open[k]) / length);
  }
  unsigned short *of = malloc(sizeof *of * n);
  for (size_t i = 0; i < n; i++) of[i] = symbol[i];
  Intake *intakes = malloc(sizeof *intakes * symbols);
  Track *tracks = malloc(sizeof *tracks * symbols);
  double taken[ROUNDS], bars = 0, figures = 0, matrices = 0;
  Totals totals = {0};
  for (int round = 0; round < rounds; round++) {
    for (int s = 0; s < symbols; s++) {
      intake_init(&intakes[s]);
      track_init(&tracks[s]);
    }
    totals = (Totals){0};
    bars = figures = 0;
    Bar closed[8];
    const double started = now();
    for (size_t i = 0; i < n; i++) {
      const int s = of[i];
      const int count = intake_take(&intakes[s], &calendar, time[i], price[i], size[i], closed);
      if (count == 0) continue;
      for (int k = 0; k < count; k++) {
        const Bar *b = &closed[k];
        figures += b->open + b->high + b->low + b->close + b->volume + b->count + b->slot;
        if (b->volume > 0) figures += b->vwap + b->pressure;
      }
      bars += count;
      track_take(&tracks[s], &calendar, closed, count, &totals);
    }
    taken[round] = (now() - started) / n;
  }
  for (int s = 0; s < symbols; s++)
    matrices += sum_of(&tracks[s].structure) + sum_of(&tracks[s].tactical) + sum_of(&tracks[s].regime);
  qsort(taken, rounds, sizeof(double), ascending);
  printf("%.4f %.4f %.0f %.17g %.0f %.17g %.0f %.17g %.17g\n", taken[0], taken[rounds / 2], bars, figures,
         totals.synergies, totals.quality, totals.acted, totals.outputs, matrices);
  return 0;
}
