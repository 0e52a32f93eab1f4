/* The two rows over windows that cost most: low_volume_node (20 bars, 40 steps, share 0.3) and mmd_regime (100 bars, memory 1,000). */
#include <math.h>
#include <string.h>
#include "pipeline.h"

#define PERIOD 20
#define BINS 40
#define ON_EDGE 1e-9
#define ALIKE (1 - 1e-9)

typedef struct { int is, bottom, top; double volume; } Node;

static int least_int(int a, int b) { return a < b ? a : b; }

static void spread(Nodes *s, const Columns *b, int i, double lowest, double step) {
  const double scale = 1 / step;
  memset(s->changes, 0, sizeof s->changes);
  memset(s->alone, 0, sizeof s->alone);
  for (int k = i - PERIOD + 1; k <= i; k++) {
    double bottom = (b->low[k] - lowest) * scale;
    double top = (b->high[k] - lowest) * scale;
    if (top - bottom < 1) {
      bottom = fmin(fmax((bottom + top) / 2 - 0.5, 0), BINS - 1);
      top = bottom + 1;
    }
    const int first = least_int((int)bottom, BINS - 1), last = least_int((int)top, BINS - 1);
    const double density = b->volume[k] / (top - bottom);
    s->changes[first] += density;
    s->changes[last + 1] -= density;
    s->alone[first] -= density * (bottom - first);
    s->alone[last] -= density * (last + 1 - top);
  }
}

static void keep(const Nodes *s, double close, int from, int to, Node *below, Node *above) {
  const double middle = (from + to) / 2.0;
  double volume = 0;
  for (int bin = from; bin < to; bin++) volume += s->changes[bin];
  const Node node = {1, from, to, volume / (to - from)};
  if (middle <= close + ON_EDGE) *below = node;
  if (middle >= close - ON_EDGE && !above->is) *above = node;
}

static void rate(const Columns *b, int i, double lowest, double step, double most, const Node *node, double *out) {
  const double under = lowest + (node->bottom + ON_EDGE) * step, over = lowest + (node->top - ON_EDGE) * step;
  int side = 0, from = 0, visits = 0, rejections = 0, age = PERIOD;
  for (int k = i - PERIOD + 1; k <= i; k++) {
    const double price = b->close[k];
    const int now = price >= over ? 1 : price <= under ? -1 : 0;
    if (from != 0) {
      if (now != 0) {
        visits++;
        if (now == from) {
          rejections++;
          age = i - k;
        }
        from = 0;
      }
    } else if (b->low[k] < over && b->high[k] > under)
      from = side;
    if (now != 0) side = now;
  }
  const double away = (node->bottom + node->top) / 2.0 - (b->close[i] - lowest) / step;
  const double thinness = 1 - node->volume / most;
  const double tried = 0.15 * fmin(rejections / 5.0, 1) + (visits == 0 ? 0 : 0.15 * rejections / visits);
  out[0] = away * step;
  out[1] = 0.4 * thinness + tried + 0.2 * (1 - (double)age / PERIOD) + 0.1 * (1 - fabs(away) / BINS);
  out[2] = 1;
}

void nodes_take(Nodes *s, const Columns *b) {
  const int i = b->at - 1, n = s->seen++;
  for (int k = 0; k < 6; k++) s->out[k] = n < PERIOD - 1 ? NAN : 0;
  if (n < PERIOD - 1) return;
  double lowest = b->low[i], highest = b->high[i];
  for (int k = i - PERIOD + 1; k <= i; k++) {
    lowest = fmin(lowest, b->low[k]);
    highest = fmax(highest, b->high[k]);
  }
  const double step = (highest - lowest) / BINS;
  if (step == 0) return;
  spread(s, b, i, lowest, step);
  double height = 0, most = 0;
  for (int bin = 0; bin < BINS; bin++) {
    height += s->changes[bin];
    s->changes[bin] = height + s->alone[bin];
    most = fmax(most, s->changes[bin]);
  }
  if (most == 0) return;
  const double thin = 0.3 * most * ALIKE, close = (b->close[i] - lowest) / step;
  Node below = {0}, above = {0};
  int busy = -1;
  for (int bin = 0; bin < BINS; bin++) {
    if (s->changes[bin] < thin) continue;
    if (busy >= 0 && bin - busy > 1) keep(s, close, busy + 1, bin, &below, &above);
    busy = bin;
  }
  if (below.is) rate(b, i, lowest, step, most, &below, s->out);
  if (above.is) rate(b, i, lowest, step, most, &above, s->out + 3);
}

#define WINDOW 100
#define SPAN 6
#define MEMORY 1000
#define STEPS 64
#define LIMIT 36
/* What is added and taken off again leaves the nearest step. */
#define ROUNDING (6755399441055744.0 / STEPS)
static References markets;
static double exponentials[LIMIT * STEPS + 1];

void rows_init(const References *r) {
  markets = *r;
  for (int k = 0; k <= LIMIT * STEPS; k++) exponentials[k] = exp(-(double)k / STEPS);
}

static inline double fading(double x) {
  if (x >= LIMIT) return 0;
  const double nearest = x + ROUNDING - ROUNDING, r = nearest - x, s = r * r;
  const double series = 1 + (r + s * (1.0 / 2 + r * (1.0 / 6) + s * (1.0 / 24 + r * (1.0 / 120))));
  return exponentials[(int)(nearest * STEPS)] * series;
}

static inline double kernel(const double *a, const double *b) {
  const double w = a[0] - b[0], x = a[1] - b[1], y = a[2] - b[2], z = a[3] - b[3];
  return fading(w * w + x * x + y * y + z * z);
}

static void place(Kinds *k, Moment *m, int newest, double range) {
  double net = 0, path = 0;
  for (int j = 1; j <= SPAN; j++) {
    const double value = k->returns[(newest + j) % SPAN];
    net += value;
    path += fabs(value);
  }
  const double *w = markets.weights;
  m->feature[0] = k->usual == 0 ? 0 : k->returns[newest] / k->usual * w[0];
  m->feature[1] = k->range == 0 ? w[1] : range / k->range * w[1];
  m->feature[2] = k->usual == 0 ? w[2] : path / SPAN / k->usual * w[2];
  m->feature[3] = path == 0 ? 0 : net / path * w[3];
}

static void join(Kinds *k, int slot, int held) {
  Moment *m = &k->window[slot];
  m->later = 0;
  for (int part = 0; part < 2; part++) {
    double sum = 0;
    for (int other = part ? slot + 1 : 0; other < (part ? held : slot); other++) {
      const double near = kernel(k->window[other].feature, m->feature);
      k->window[other].later += near;
      sum += near;
    }
    k->within += sum;
  }
  const double *point = markets.points;
  for (int market = 0; market < REGIMES; market++) {
    double sum = 0;
    for (int p = 0; p < POINTS; p++, point += FEATURES) sum += kernel(point, m->feature);
    m->towards[market] = sum;
    k->across[market] += sum;
  }
}

static void resum(Kinds *k) {
  k->within = 0;
  for (int slot = 0; slot < WINDOW; slot++) k->within += k->window[slot].later;
  for (int market = 0; market < REGIMES; market++) {
    k->across[market] = 0;
    for (int slot = 0; slot < WINDOW; slot++) k->across[market] += k->window[slot].towards[market];
  }
}

static void compare(Kinds *k) {
  double squared[REGIMES], second = INFINITY;
  const double within = k->within / (WINDOW * (WINDOW - 1) / 2);
  int nearest = 0;
  for (int market = 0; market < REGIMES; market++) {
    squared[market] = within + markets.own[market] - 2 * k->across[market] / (WINDOW * POINTS);
    k->out[market] = fmax(0, squared[market]);
    if (squared[market] < squared[nearest]) nearest = market;
  }
  for (int market = 0; market < REGIMES; market++) {
    if (market != nearest) second = fmin(second, k->out[market]);
  }
  k->out[7] = nearest;
  k->out[8] = second == 0 ? 0 : (second - k->out[nearest]) / second;
}

void kinds_take(Kinds *k, const Columns *b) {
  const int i = b->at - 1, n = k->seen++;
  const double change = n == 0 ? 0 : log(b->close[i] / b->close[i - 1]);
  const double range = log(b->high[i] / b->low[i]);
  k->returns[n % SPAN] = change;
  if (n > 0) k->usual += (fabs(change) - k->usual) / least_int(n, MEMORY);
  k->range += (range - k->range) / least_int(n + 1, MEMORY);
  if (n >= SPAN) {
    const int turn = n - SPAN, held = least_int(turn, WINDOW), slot = turn % WINDOW;
    Moment *m = &k->window[slot];
    if (held == WINDOW) {
      k->within -= m->later;
      for (int market = 0; market < REGIMES; market++) k->across[market] -= m->towards[market];
    }
    place(k, m, n % SPAN, range);
    join(k, slot, held);
    if (slot == WINDOW - 1) resum(k);
  }
  if (n < SPAN + WINDOW - 1) for (int j = 0; j < 9; j++) k->out[j] = NAN;
  else if (k->usual + k->range == 0) for (int j = 0; j < 9; j++) k->out[j] = 0;
  else compare(k);
}
