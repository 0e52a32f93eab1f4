/* Matrices, legs, sequence and decision: src/core/synergy at its presets. */
#include <math.h>
#include <string.h>
#include "pipeline.h"

static double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
/* NaN stays NaN. */
static double within(double x, double limit) { return x < -limit ? -limit : x > limit ? limit : x; }

static double *next_row(Matrix *m) { return m->values + (m->taken++ % m->rows) * m->columns; }

void track_init(Track *t) {
  memset(t, 0, sizeof *t);
  t->shorter.kept = KEPT_SHORTER;
  t->longer.kept = KEPT_LONGER;
  t->structure = (Matrix){.rows = 48, .columns = 8};
  t->tactical = (Matrix){.rows = 60, .columns = 9};
  t->regime = (Matrix){.rows = 96, .columns = 12};
  t->average = t->node_below = t->node_above = NAN;
  t->rests_until = -INFINITY;
}

static void push(Columns *c, const Bar *bar) {
  if (c->at == c->kept + ROOM) {
    double *columns[] = {c->open, c->high, c->low, c->close, c->volume};
    for (int k = 0; k < 5; k++) memmove(columns[k], columns[k] + ROOM, sizeof(double) * c->kept);
    c->at = c->kept;
  }
  c->open[c->at] = bar->open;
  c->high[c->at] = bar->high;
  c->low[c->at] = bar->low;
  c->close[c->at] = bar->close;
  c->volume[c->at] = bar->volume;
  c->at++;
}

static void advance_tactical(Track *t, const Bar *bar) {
  Matrix *m = &t->tactical;
  const int n = m->taken;
  double *v = next_row(m), *closes = m->memory, *volumes = m->memory + 5;
  const double *gap = t->gaps.out, range = t->average;
  v[0] = gap[1];
  v[1] = gap[2];
  v[2] = within(gap[3] / range, 2) / 2;
  v[3] = gap[1] + gap[2] == 0 ? 0 : exp(-5 * gap[4]);
  v[4] = sign_of(gap[5]) - sign_of(gap[6]);
  const double before = n < 5 ? NAN : closes[n % 5];
  closes[n % 5] = bar->close;
  v[5] = within((bar->close - before) / range, 5) / 5;
  double usual = 0;
  for (int k = 0; k < 20; k++) usual += volumes[k];
  usual /= 20;
  volumes[n % 20] = bar->volume;
  const double ratio = bar->volume / usual;
  v[6] = n < 20 ? NAN : usual > 0 ? (ratio < 1e100 ? (ratio - 1) * (ratio + 1) / (ratio * ratio + 1) : 1) : 0;
  v[7] = within(gap[0] / range, 5) / 5;
  v[8] = gap[7];
}

static void advance_structure(Track *t, const Bar *bar) {
  double *v = next_row(&t->structure);
  const double *node = t->nodes.out, range = t->average;
  v[0] = (t->momentum.out[0] - 50) / 50;
  v[1] = t->momentum.out[1];
  v[2] = range == 0 ? 0 * t->slope.out[0] : within((t->slope.out[0] - bar->close) / range, 5) / 5;
  v[3] = within(t->slope.out[1], 2) / 2;
  const double below = fabs(node[0]), above = fabs(node[3]);
  const int is_above = node[5] == 1 && !(node[2] == 1 && below <= above);
  const double has = is_above ? node[5] : node[2];
  v[4] = has * exp(-(is_above ? above : below) / range);
  v[5] = has * node[is_above ? 4 : 1];
  const double length = (bar->session_end - bar->session_start) / 60000;
  const double turn = 2 * 3.14159265358979323846 * ((bar->time - bar->session_start) / 60000) / length;
  v[6] = sin(turn);
  v[7] = cos(turn);
}

static void spread(Matrix *m, int n, double *v) {
  const double *returns = m->memory + 11;
  double *seen = m->memory + 71, *mean_of = m->memory + 72, *variance_of = m->memory + 73;
  v[8] = v[11] = NAN;
  if (n < 30) return;
  double mean = 0, squares = 0;
  for (int k = 0; k < 30; k++) mean += returns[k];
  mean /= 30;
  for (int k = 0; k < 30; k++) squares += (returns[k] - mean) * (returns[k] - mean);
  const double deviation = sqrt(squares / 29);
  const double drift = deviation > 0 ? mean * sqrt(30) / deviation : 3 * sign_of(mean);
  v[11] = within(drift, 3) / 3;
  if (isnan(deviation)) return;
  const double away = deviation - *mean_of;
  if (*seen >= 100) {
    const double scale = sqrt(*variance_of);
    v[8] = scale > 0 ? within(away / scale, 3) / 3 : 0;
  }
  const int is_first = *seen == 0;
  *mean_of = is_first ? deviation : *mean_of + 0.01 * away;
  *variance_of = is_first ? 0 : 0.99 * (*variance_of + 0.01 * away * away);
  (*seen)++;
}

static void advance_regime(Track *t, const Bar *bar) {
  Matrix *m = &t->regime;
  const int n = m->taken;
  double *v = next_row(m), *memory = m->memory, *volumes = m->memory + 41;
  for (int k = 0; k < 7; k++) v[k] = t->kinds.out[k];
  v[7] = t->kinds.out[8];
  double *now = &memory[1 + n % 10], middle = memory[1 + (n + 5) % 10];
  v[10] = within(n < 10 ? NAN : (bar->close - 2 * middle + *now) / t->average, 5) / 5;
  *now = bar->close;
  memory[11 + n % 30] = n == 0 ? NAN : log(bar->close / memory[0]);
  memory[0] = bar->close;
  volumes[n % 30] = bar->volume;
  spread(m, n, v);
  v[9] = NAN;
  if (n < 29) return;
  double mean = 0, second = 0, third = 0;
  for (int k = 0; k < 30; k++) mean += volumes[k];
  mean /= 30;
  for (int k = 0; k < 30; k++) {
    const double away = volumes[k] - mean;
    second += away * away;
    third += away * away * away;
  }
  second /= 30;
  third /= 30;
  v[9] = second <= mean * mean * 1e-24 ? 0 : within(third / (second * sqrt(second)), 3) / 3;
}

/* Legs: conviction 0.5, slope 0.1, gap 0.001; as strong as can be at a slope of 2 and a gap of 0.01. */
static void legs_shorter(Track *t, const Bar *bar) {
  const double bullish = t->gaps.out[5] / bar->close, bearish = t->gaps.out[6] / bar->close;
  const int is_up = bullish >= 0.001, is_down = bearish >= 0.001;
  if (!is_up && !is_down) return;
  t->signals[2] = (Signal){is_up ? (is_down ? 2 : 1) : -1, fmin(1, (is_up ? bullish : bearish) / 0.01), bar->until};
}

static void legs_longer(Track *t, const Bar *bar) {
  const double conviction = (t->momentum.out[0] - 50) / 50, distance = fabs(conviction);
  const double side = distance >= 0.5 ? sign_of(conviction) : 0;
  if (side != 0 && side != t->leg_side) t->signals[0] = (Signal){side, distance, bar->until};
  t->leg_side = side;
  const double slope = t->slope.out[1], sign = slope > 0 ? 1 : slope < 0 ? -1 : 0;
  if (sign != 0 && sign != t->slope_sign) {
    t->is_told = t->slope_sign == 0;
    t->slope_sign = sign;
  }
  if (t->is_told || !(fabs(slope) >= 0.1)) return;
  t->is_told = 1;
  if (sign != 0) t->signals[1] = (Signal){sign, fmin(1, fabs(slope) / 2), bar->until};
}

static void take_shorter(Track *t, const Bar *bar) {
  push(&t->shorter, bar);
  gaps_take(&t->gaps, &t->shorter);
  legs_shorter(t, bar);
  t->slot = bar->slot;
  t->close = bar->close;
  t->time = bar->until;
  t->session_end = bar->session_end;
  advance_tactical(t, bar);
}

static void take_longer(Track *t, const Bar *bar) {
  push(&t->longer, bar);
  momentum_take(&t->momentum, &t->longer);
  slope_take(&t->slope, &t->longer);
  nodes_take(&t->nodes, &t->longer);
  kinds_take(&t->kinds, &t->longer);
  t->average = range_take(&t->range, &t->longer);
  legs_longer(t, bar);
  const double *node = t->nodes.out;
  t->node_below = node[2] == 1 ? bar->close + node[0] : NAN;
  t->node_above = node[5] == 1 ? bar->close + node[3] : NAN;
  advance_structure(t, bar);
  advance_regime(t, bar);
}

/* Decision for an equity of 100,000, a point value of 1 and costs of 0.0005 of the price. */
static void decide(const Track *t, const Calendar *c, double quality, Totals *totals) {
  totals->synergies++;
  totals->quality += quality;
  int low = 0, high = c->sessions;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (c->open[middle] <= t->time) low = middle + 1;
    else high = middle;
  }
  if (isnan(t->average) || low == 0 || t->time >= c->close[low - 1] || !(quality >= 0.3)) return;
  const double entry = t->close, range = t->average, cost = 0.0005 * entry;
  if (!(entry > 0 && range > 0)) return;
  const double away = t->way * (entry - (t->way > 0 ? t->node_below : t->node_above));
  if (!(away > 0)) return;
  double distance = away + 0.1 * range;
  if (distance < 0.5 * range) distance = 0.5 * range;
  const double stop = entry - t->way * distance;
  if (!(stop > 0) || distance > 3 * range) return;
  const double target = entry + t->way * 2 * distance;
  totals->outputs += stop;
  if (!(target > 0)) return;
  const double reward = (2 * distance - cost) / (distance + cost);
  totals->outputs += target + reward;
  if (!(reward >= 1)) return;
  const double wanted = fmin(5, 0.01 * 100000 / distance) * (0.5 + 0.5 * quality);
  const double lots = floor(wanted);
  if (!(lots >= 1)) return;
  totals->outputs += fmin(lots, wanted) * (1 + distance);
  totals->acted++;
}

/* @returns the quality of what a leg completes, else -1. Window 10, cooldown 5; no sequence begins with a gap. */
static double take_leg(Track *t, double slot, int leg) {
  const Signal *s = &t->signals[leg];
  if (s->way == 2 || slot <= t->rests_until) return -1;
  if (t->taken > 0 && t->way != s->way) t->taken = 0;
  if (t->taken == 0) {
    if (leg == 2) return -1;
    t->way = s->way;
    t->begun = slot;
  }
  for (int k = 0; k < t->taken; k++) if (t->order[k] == leg) return -1;
  t->order[t->taken] = leg;
  t->strengths[t->taken++] = s->strength;
  if (t->taken < 3) return -1;
  const double a = t->strengths[0], b = t->strengths[1], c = t->strengths[2];
  const double coherence = 1 - (fmax(a, fmax(b, c)) - fmin(a, fmin(b, c)));
  t->taken = 0;
  t->rests_until = slot + 5;
  return 0.6 * ((a + b + c) / 3) + 0.3 * (1 - (slot - t->begun) / 10) + 0.1 * coherence;
}

static void conclude(Track *t, const Calendar *c, double slot, Totals *totals) {
  if (t->taken > 0 && slot - t->begun > 10) t->taken = 0;
  double found = -1;
  int done = 0;
  for (int taken = 0; taken < 3; taken++) {
    int next = -1;
    for (int leg = 0; leg < 3; leg++) {
      if ((done & (1 << leg)) || t->signals[leg].way == 0) continue;
      if (next < 0 || t->signals[leg].time < t->signals[next].time) next = leg;
    }
    if (next < 0) break;
    done |= 1 << next;
    const double quality = take_leg(t, slot, next);
    if (quality >= 0) found = quality;
  }
  if (found >= 0) decide(t, c, found, totals);
}

void track_take(Track *t, const Calendar *c, const Bar *closed, int count, Totals *totals) {
  for (int at = 0; at < count;) {
    memset(t->signals, 0, sizeof t->signals);
    const double until = closed[at].until;
    int end = at;
    while (end < count && closed[end].until == until) end++;
    /* The longer ones first: the range that the shorter ones are measured in is that of the same instant. */
    for (int k = end - 1; k >= at; k--) {
      if (closed[k].level == 0) take_shorter(t, &closed[k]);
      else take_longer(t, &closed[k]);
    }
    at = end;
    const double later = (until - t->time) / SHORTER_MS;
    conclude(t, c, t->slot + (later > 0 ? round(later) : 0), totals);
  }
}
