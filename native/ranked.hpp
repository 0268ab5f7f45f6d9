// Scores in their order, and how well they rank the rows that are positive.
#pragma once

#include <cstdint>

namespace steelyard {

// Scores [rows], floats or doubles. NaN stands above all others and is equal to itself, -0 is 0.
struct Scores {
    const void* at;
    int64_t rows;
    bool doubles;
};

// order [rows]: the rows by falling score; rows of one score stay in their order.
void falling(const Scores& scores, int64_t* order);

// Of rows with positive [rows] nonzero or zero: how many distinct scores G the positives have, and the slot [rows] of every row.
// g the g-th largest of these scores, from 0 on: a positive has slot g, a negative of that score G + g, one between it and the
// next larger one 2 G + g, one below them all 3 G.
int32_t slots(const Scores& scores, const uint8_t* positive, int32_t* slot);

// The metrics [draws] of rows that count weights [rows, draws], floats or doubles; floats that are whole numbers must add up to
// less than 2^24. Null: not wanted. As in tuning/ranked.py.
struct Ranking {
    const int32_t* slot;
    const void* weights;
    int64_t rows, draws;
    int32_t levels;  // G
    bool doubles;
    double *average_precision, *roc_auc;
};
void rank_draws(const Ranking& call);

// The corners of the upper convex hull of what cuts find, highest cut first, of the rows that are kept [rows], both ends
// included: the cut, its hits and its alarms, each with room for two more than the positives that are kept. As in calibrate/threshold.py
// and calibrate/exchange.py; returns how many. Below 2^26 rows, so that nothing is rounded.
struct Cuts {
    Scores scores;
    const int64_t* order;  // of falling()
    const uint8_t *positive, *kept;
    double *cut, *hits, *alarms;
};
int64_t cut_corners(const Cuts& call);

}  // namespace steelyard
