/* Rows of src/core/indicators at their presets: fair_value_gap, mlmi, rational_quadratic_slope, low_volume_node, mmd_regime, atr. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "pipeline.h"

static double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

/* Gaps: life 50, bodies 10, factor 1.5. */
static int is_impulse(const Columns *b, int i) {
  double sum = 0;
  for (int k = i - 10; k < i; k++) sum += fabs(b->close[k] - b->open[k]);
  return fabs(b->close[i] - b->open[i]) > (1.5 * sum) / 10;
}

static void fill(Gaps *g, const Columns *b, int i, int n) {
  double *out = g->out;
  out[5] = out[6] = out[7] = 0;
  int kept = 0;
  for (int k = 0; k < g->open; k++) {
    Gap *gap = &g->gaps[k];
    const double age = n - gap->born;
    if (age > 50) continue;
    const int is_up = gap->side > 0;
    if ((is_up ? b->low[i] < gap->top : b->high[i] > gap->bottom) && gap->entered < 0) gap->entered = n;
    if (!(is_up ? b->low[i] <= gap->bottom : b->high[i] >= gap->top)) {
      g->gaps[kept++] = *gap;
      continue;
    }
    const int which = is_up ? 5 : 6;
    out[which] = fmax(out[which], gap->top - gap->bottom);
    double usual = 0;
    for (int j = i - 10; j < i; j++) usual += b->volume[j];
    usual /= 10;
    const double share = usual > 0 ? fmin(b->volume[i] / usual / 2, 1) : 0;
    const double quickness = fmax(0, 1 - (n - gap->entered) / 20);
    out[7] = fmax(out[7], 0.4 + 0.3 * quickness + 0.2 * share + 0.1 * (1 - age / 50));
  }
  g->open = kept;
}

void gaps_take(Gaps *g, const Columns *b) {
  const int i = b->at - 1, n = g->seen++;
  double *out = g->out;
  fill(g, b, i, n);
  const double up = n > 10 ? b->low[i] - b->high[i - 2] : 0;
  const double down = n > 10 ? b->high[i] - b->low[i - 2] : 0;
  const int is_gap = (up > 0 || down < 0) && is_impulse(b, i - 1);
  out[0] = is_gap ? (up > 0 ? up : down) : 0;
  if (is_gap) {
    Gap *gap = &g->gaps[g->open++];
    gap->born = n;
    gap->side = up > 0 ? 1 : -1;
    gap->bottom = up > 0 ? b->high[i - 2] : b->high[i];
    gap->top = up > 0 ? b->low[i] : b->low[i - 2];
    gap->entered = -1;
  }
  out[1] = out[2] = out[3] = 0;
  out[4] = 1;
  double nearest = INFINITY;
  for (int k = g->open - 1; k >= 0; k--) {
    const Gap *gap = &g->gaps[k];
    const int is_up = gap->side > 0;
    out[is_up ? 1 : 2] = 1;
    const double away = (is_up ? gap->top : gap->bottom) - b->close[i];
    if (!(fabs(away) < nearest)) continue;
    nearest = fabs(away);
    out[3] = away;
    out[4] = (n - gap->born) / 50;
  }
  if (n < 61) for (int k = 0; k < 8; k++) out[k] = NAN;
}

/* MLMI: fast 5, slow 20, short 5, long 20, smooth 20, neighbours 5, points 200. */
static int side_of(const Columns *b, int i, double now) {
  double quick = 0, calm = 0;
  for (int age = 19; age > 0; age--) {
    const int k = i - age;
    const double distance = (b->open[k] + b->high[k] + b->low[k] + b->close[k]) / 4 - now;
    calm += (20 - age) * distance;
    if (age < 5) quick += (5 - age) * distance;
  }
  quick *= 20 * 21;
  calm *= 5 * 6;
  return quick > calm ? 1 : quick < calm ? -1 : 0;
}

static void weigh(Momentum *m, int which, int n, int period) {
  const double change = m->now[2] - m->before;
  const double gain = fmax(change, 0), loss = fmax(-change, 0);
  if (n <= period) {
    m->gain[which] += gain;
    m->loss[which] += loss;
    if (n < period) {
      m->now[which] = NAN;
      return;
    }
    m->gain[which] /= period;
    m->loss[which] /= period;
  } else {
    m->gain[which] = (m->gain[which] * (period - 1) + gain) / period;
    m->loss[which] = (m->loss[which] * (period - 1) + loss) / period;
  }
  const double total = m->gain[which] + m->loss[which];
  m->now[which] = total == 0 ? 0 : 100 * (m->gain[which] / total);
}

static void smoothen(Momentum *m, int n) {
  int slot = n % 20;
  m->indices[2 * slot] = n == 0 ? NAN : m->now[0];
  m->indices[2 * slot + 1] = n == 0 ? NAN : m->now[1];
  double quick = n < 19 ? NAN : 0, calm = quick;
  for (int weight = 1; weight <= 20; weight++) {
    slot = slot + 1 == 20 ? 0 : slot + 1;
    quick += weight * m->indices[2 * slot];
    calm += weight * m->indices[2 * slot + 1];
  }
  m->now[0] = quick / 210;
  m->now[1] = calm / 210;
}

/* As in mlmi.ts: points that were nearest a bar ago bound what can be now. */
static void ask(Momentum *m) {
  double farthest = INFINITY;
  if (m->last[4] != NULL) {
    double most = 0;
    for (int k = 0; k < 5; k++) {
      const double across = m->last[k][0] - m->now[0], along = m->last[k][1] - m->now[1];
      most = fmax(most, across * across + along * along);
    }
    farthest = most + most * DBL_EPSILON + DBL_TRUE_MIN;
  }
  int found = 0;
  const double *turn = m->points + 3 * m->next, *at = turn, *until = m->points;
  for (int part = 0; part < 2; part++) {
    while (at > until) {
      at -= 3;
      const double across = at[0] - m->now[0], along = at[1] - m->now[1];
      const double distance = across * across + along * along;
      if (!(distance < farthest)) continue;
      int place = found < 5 ? found++ : found - 1;
      for (; place > 0 && distance < m->nearest[place - 1]; place--) {
        m->nearest[place] = m->nearest[place - 1];
        m->last[place] = m->last[place - 1];
      }
      m->nearest[place] = distance;
      m->last[place] = at;
      if (found == 5) farthest = m->nearest[4];
    }
    until = turn;
    at = m->stored == 200 ? m->points + 600 : turn;
  }
  double sum = 0;
  for (int k = 0; k < found; k++) sum += m->last[k][2];
  m->out[0] = found == 0 ? 50 : 50 + (50 * sum) / found;
}

void momentum_take(Momentum *m, const Columns *b) {
  const int i = b->at - 1, n = m->seen++;
  m->before = m->now[2];
  m->now[2] = (b->open[i] + b->high[i] + b->low[i] + b->close[i]) / 4;
  if (n > 0) {
    weigh(m, 0, n, 5);
    weigh(m, 1, n, 20);
  }
  smoothen(m, n);
  const int before = m->side, side = n < 19 ? 0 : side_of(b, i, m->now[2]);
  const int is_crossed = side != 0 && side == -before;
  if (is_crossed) {
    if (m->is_waiting) {
      double *point = &m->points[3 * m->next];
      point[0] = m->waiting[0];
      point[1] = m->waiting[1];
      point[2] = sign_of(m->now[2] - m->waiting[2]);
      m->next = (m->next + 1) % 200;
      if (m->stored < 200) m->stored++;
    }
    m->is_waiting = !isnan(m->now[0] + m->now[1]);
    memcpy(m->waiting, m->now, sizeof m->now);
  }
  if (side != 0) m->side = side;
  m->out[0] = m->out[1] = NAN;
  if (n < 39 || isnan(m->now[0] + m->now[1])) return;
  ask(m);
  m->out[1] = is_crossed ? side : 0;
}

static double true_range(const Columns *b, int i) { return fmax(b->high[i], b->close[i - 1]) - fmin(b->low[i], b->close[i - 1]); }

/* Wilder's average of 14; n values came before. */
static double wilder(double average, double value, int n) {
  if (n >= 14) return (average * 13 + value) / 14;
  const double sum = average + value;
  return n == 13 ? sum / 14 : sum;
}

/* Slope: period 50, bandwidth 8, weighting 8, range 14. */
void slope_take(Slope *s, const Columns *b) {
  const int i = b->at - 1, n = s->seen++;
  if (n == 0) {
    s->total = 0;
    for (int age = 0; age < 50; age++) {
      s->weights[age] = pow(1 + (double)(age * age) / (2.0 * 8 * 8 * 8), -8);
      s->total += s->weights[age];
    }
  }
  if (n > 0) s->average = wilder(s->average, true_range(b, i), n - 1);
  s->out[0] = s->out[1] = NAN;
  if (n < 50) return;
  double level = 0, change = 0;
  for (int age = 0; age < 50; age++) {
    const double now = b->close[i - age];
    level += s->weights[age] * now;
    change += s->weights[age] * (now - b->close[i - age - 1]);
  }
  s->out[0] = level / s->total;
  s->out[1] = s->average == 0 ? 0 : change / s->total / s->average;
}

double range_take(Range *r, const Columns *b) {
  const int i = b->at - 1, n = r->seen++;
  if (n > 0) r->average = wilder(r->average, true_range(b, i), n - 1);
  return n < 14 ? NAN : r->average;
}
