/* The tick pipeline of src/core once more, in C: what bench/pipeline.c times and adds up. */
#ifndef PIPELINE_H
#define PIPELINE_H

#define SHORTER_MS 300000.0
#define LONGER_MS 1800000.0
#define REGIMES 7
#define POINTS 32
#define FEATURES 4

typedef struct {
  int level;
  double time, open, high, low, close, volume, count, vwap, pressure, slot, until, session_start, session_end;
} Bar;

/* Calendar: sessions, and of each level the slots before each. */
typedef struct {
  int sessions;
  const double *open, *close;
  double *before[2];
} Calendar;

/* The bar of an interval that is being made. */
typedef struct {
  double until, start, open, high, low, close, volume, count, value, sign, slot, counted, session_start, session_end;
} Making;

typedef struct {
  double earliest, last, variance, hours_from, hours_until;
  double accepted, held, refused;
  int is_holding;
  double held_time, held_price, held_size;
  Making bar[2];
  double first, latest, price, direction;
  double from, to, anchor;
  int session, is_regular;
  double closed_until;
} Intake;

void intake_init(Intake *s);
/* Takes a tick. @returns bars that it closed, which are at closed[0..]. */
int intake_take(Intake *s, const Calendar *c, double time, double price, double size, Bar *closed);

#define KEPT_SHORTER 11
#define KEPT_LONGER 50
#define ROOM 64
#define COLUMNS (KEPT_LONGER + ROOM)
/* Bars that rows look back over. */
typedef struct {
  int at, kept;
  double open[COLUMNS], high[COLUMNS], low[COLUMNS], close[COLUMNS], volume[COLUMNS];
} Columns;

typedef struct { double born, side, bottom, top, entered; } Gap;
typedef struct { int seen, open; Gap gaps[51]; double out[8]; } Gaps;
typedef struct {
  int seen, side, is_waiting, stored, next;
  double gain[2], loss[2], before, now[3], waiting[3], indices[40], points[600], nearest[5], out[2];
  const double *last[5];
} Momentum;
typedef struct { int seen; double average, side, total, weights[50], out[2]; } Slope;
typedef struct { double changes[41], alone[41], out[6]; int seen; } Nodes;
typedef struct { double feature[FEATURES], later, towards[REGIMES]; } Moment;
typedef struct { int seen; double usual, range, within, across[REGIMES], returns[6], out[9]; Moment window[100]; } Kinds;
typedef struct { int seen; double average; } Range;

/* Points, weights and own kernels of the seven markets, as the bench wrote them. */
typedef struct { const double *points, *weights, *own; } References;
void rows_init(const References *r);
void gaps_take(Gaps *g, const Columns *b);
void momentum_take(Momentum *m, const Columns *b);
void slope_take(Slope *s, const Columns *b);
void nodes_take(Nodes *s, const Columns *b);
void kinds_take(Kinds *k, const Columns *b);
double range_take(Range *r, const Columns *b);

typedef struct { int rows, columns, taken; double values[96 * 12], memory[80]; } Matrix;
typedef struct { double way, strength, time; } Signal;
typedef struct {
  Columns shorter, longer;
  Gaps gaps;
  Momentum momentum;
  Slope slope;
  Nodes nodes;
  Kinds kinds;
  Range range;
  Matrix structure, tactical, regime;
  Signal signals[3];
  double leg_side, slope_sign;
  int is_told, taken, order[3];
  double way, begun, rests_until, strengths[3];
  double slot, close, average, node_below, node_above, time, session_end;
} Track;

typedef struct { double synergies, quality, acted, outputs; } Totals;
void track_init(Track *t);
/* Takes bars of one symbol that closed with one tick. */
void track_take(Track *t, const Calendar *c, const Bar *closed, int count, Totals *totals);

#endif
