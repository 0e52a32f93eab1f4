/* Guard and bars: src/core/ticks/guard.ts and bar-builder.ts. */
#include <math.h>
#include <string.h>
#include "pipeline.h"

#define OFF (0.01 * 0.01)
#define DEVIATIONS 100.0
#define WARMUP 100
#define WEIGHT 0.01
#define KEPT (1 - 0.01)
#define MOST (1 + 8 * 0.01)
#define LEAST (1e-4 * 1e-4)
#define LARGEST 1e15
#define GRID_MS 14400000.0

static const double LENGTHS[2] = {SHORTER_MS, LONGER_MS};

void intake_init(Intake *s) {
  memset(s, 0, sizeof *s);
  s->earliest = s->hours_from = s->from = INFINITY;
  s->hours_until = 0;
  s->variance = LEAST;
  s->closed_until = -INFINITY;
  s->price = NAN;
  for (int level = 0; level < 2; level++) {
    s->bar[level].until = -INFINITY;
    s->bar[level].slot = -1;
  }
}

static int session_of(const Calendar *c, double time) {
  int low = 0, high = c->sessions;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (c->open[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

static int find_stretch(Intake *s, const Calendar *c, double time) {
  if (time >= s->from && time < s->to) return 1;
  const int session = session_of(c, time);
  if (session < 0) return 0;
  const int is_regular = time < c->close[session];
  if (!is_regular && session + 1 >= c->sessions) return 0;
  s->session = session;
  s->is_regular = is_regular;
  s->from = is_regular ? c->open[session] : c->close[session];
  s->to = c->close[session];
  s->anchor = c->open[session];
  if (is_regular) return 1;
  const double next = c->open[session + 1];
  const double turn = next - floor((next - c->close[session]) / 2 / GRID_MS) * GRID_MS;
  if (time >= turn) {
    s->from = turn;
    s->to = s->anchor = next;
  } else s->to = turn;
  return 1;
}

static void tell(Making *m, int level, Bar *into) {
  into->level = level;
  into->time = m->start;
  into->open = m->open;
  into->high = m->high;
  into->low = m->low;
  into->close = m->close;
  into->volume = m->volume;
  into->count = m->count;
  into->vwap = m->volume > 0 ? m->value / m->volume : NAN;
  into->pressure = m->volume > 0 ? m->sign / m->volume : NAN;
  into->slot = m->slot;
  into->until = m->until;
  into->session_start = m->session_start;
  into->session_end = m->session_end;
  m->until = -INFINITY;
  m->volume = m->count = m->value = m->sign = 0;
}

static int close_bars(Intake *s, Bar *closed) {
  Making *base = &s->bar[0], *longer = &s->bar[1];
  int count = 0;
  if (base->count > 0 && base->until <= s->closed_until) {
    if (longer->count == 0) {
      longer->open = base->open;
      longer->high = base->high;
      longer->low = base->low;
    }
    if (base->high > longer->high) longer->high = base->high;
    if (base->low < longer->low) longer->low = base->low;
    longer->close = base->close;
    longer->volume += base->volume;
    longer->count += base->count;
    longer->value += base->value;
    longer->sign += base->sign;
    tell(base, 0, &closed[count++]);
  }
  if (longer->count > 0 && longer->until <= s->closed_until) tell(longer, 1, &closed[count++]);
  return count;
}

static void place(Intake *s, const Calendar *c, int level, double cell) {
  Making *m = &s->bar[level];
  const double start = s->anchor + cell * LENGTHS[level];
  m->start = fmax(start, s->from);
  m->until = fmin(start + LENGTHS[level], s->to);
  m->session_start = s->from;
  m->session_end = s->to;
  const double before = c->before[level][s->session + 1 - s->is_regular] + s->is_regular * cell;
  m->slot = m->slot < 0 ? 0 : m->slot + before + 1 - m->counted;
  m->counted = before + s->is_regular;
}

/* @returns how many bars it closed; -1 where it is too late. */
static int add(Intake *s, const Calendar *c, double time, double price, double size, Bar *closed) {
  Making *m = &s->bar[0];
  int count = 0;
  if (!(time < m->until && time >= m->start)) {
    if (!(time >= s->closed_until) || !find_stretch(s, c, time)) return -1;
    s->closed_until = fmax(s->anchor + floor((time - s->anchor) / LENGTHS[0]) * LENGTHS[0], s->from);
    count = close_bars(s, closed);
    for (int level = 0; level < 2; level++) {
      if (s->bar[level].count == 0) place(s, c, level, floor((time - s->anchor) / LENGTHS[level]));
    }
    m->open = m->high = m->low = m->close = price;
    s->first = s->latest = time;
  }
  if (price > m->high) m->high = price;
  if (price < m->low) m->low = price;
  if (time >= s->latest) {
    s->latest = time;
    m->close = price;
  } else if (time < s->first) {
    s->first = time;
    m->open = price;
  }
  if (price > s->price) s->direction = 1;
  else if (price < s->price) s->direction = -1;
  s->price = price;
  m->volume += size;
  m->value += price * size;
  m->sign += s->direction * size;
  m->count++;
  return count;
}

static void learn(Intake *s, double square) {
  const double next = KEPT * s->variance + WEIGHT * square;
  const double most = MOST * s->variance;
  const double clipped = next < most ? next : most;
  s->variance = clipped > LEAST ? clipped : LEAST;
}

static int is_sound(Intake *s, const Calendar *c, double time, double price, double size) {
  if (!isfinite(time) || !isfinite(price) || !isfinite(size)) return 0;
  if (price <= 0 || size < 0 || size > LARGEST) return 0;
  if (!(time >= s->hours_from && time < s->hours_until)) {
    if (session_of(c, time) < 0 || time >= c->close[c->sessions - 1]) return 0;
    s->hours_from = c->open[0];
    s->hours_until = c->close[c->sessions - 1];
  }
  s->earliest = s->is_holding ? INFINITY : s->hours_from;
  return time >= s->closed_until;
}

/* What became of the held tick: bars that it closed, if the price confirms it. */
static int settle(Intake *s, const Calendar *c, double price, Bar *closed) {
  const double move = 2 * (price - s->held_price) / (price + s->held_price);
  const double square = move * move;
  const int is_off = square > OFF && (s->accepted < WARMUP || square > DEVIATIONS * s->variance);
  s->is_holding = 0;
  s->held--;
  s->earliest = s->hours_from;
  if (is_off || s->held_time < s->closed_until) {
    s->refused++;
    return 0;
  }
  s->accepted++;
  s->last = s->held_price;
  const int count = add(s, c, s->held_time, s->held_price, s->held_size, closed);
  return count < 0 ? 0 : count;
}

int intake_take(Intake *s, const Calendar *c, double time, double price, double size, Bar *closed) {
  const int is_plain = price > 0 && price < INFINITY && size >= 0 && size <= LARGEST && time >= s->closed_until &&
                       time >= s->earliest && time < s->hours_until;
  int count = 0;
  if (!is_plain) {
    if (!is_sound(s, c, time, price, size)) {
      s->refused++;
      return 0;
    }
    if (s->is_holding) count = settle(s, c, price, closed);
  }
  const double move = 2 * (price - s->last) / (price + s->last);
  const double square = move * move;
  if (square > OFF) {
    if (s->last != 0) {
      const int is_suspect = s->accepted < WARMUP || square > DEVIATIONS * s->variance;
      learn(s, square);
      if (is_suspect) {
        s->held_time = time;
        s->held_price = price;
        s->held_size = size;
        s->is_holding = 1;
        s->earliest = INFINITY;
        s->held++;
        return count;
      }
    }
  } else if (square > LEAST || s->variance > LEAST) learn(s, square);
  s->last = price;
  s->accepted++;
  const int more = add(s, c, time, price, size, closed + count);
  if (more >= 0) return count + more;
  s->accepted--;
  s->refused++;
  return count;
}
