// Decisions of more than two classes if a step is taken off every class, counted for many steps at once.
#pragma once

#include <cstdint>

namespace steelyard {

// Log-probabilities [rows, C], floats or doubles; the class of the largest is decided, the first of equals.
struct Rated {
    const void* at;
    int64_t rows, C;
    bool doubles;
};

// Adds to tables [tries, cells, C] what rows count, by their cell [rows] and the class that is decided when steps [tries, C], of the
// type of the log-probabilities, are taken off. weights [rows] or null: 1.
struct Steps {
    Rated rated;
    const void* steps;
    const int32_t* cell;
    const double* weights;
    int64_t tries, cells;
    double* tables;
};
void step_tables(const Steps& call);

// Adds to lost [cells, moves + 1, labels, C] what rows count, by their cell, the number of moves of `width` of the step of class c, from -reach on,
// before which they are called c (moves = 2 reach + 1), their label, and the other class that they are called after that.
struct Moves {
    Rated rated;
    const int32_t *cell, *label;
    const double* weights;  // or null
    int64_t c, reach;
    double width;
    double* lost;
};
void step_moves(const Moves& call);

}  // namespace steelyard
