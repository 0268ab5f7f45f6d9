// Decisions of more than two classes if a step is taken off every class, counted for many steps at once.
#include "classes.hpp"

#include <cmath>

namespace steelyard {
namespace {

template <class T> void tables_of(const Steps& call) {
    const int64_t C = call.rated.C;
    for (int64_t t = 0; t < call.tries; t++) {
        const T* z = static_cast<const T*>(call.rated.at);
        const T* steps = static_cast<const T*>(call.steps) + t * C;
        double* table = call.tables + t * call.cells * C;
        for (int64_t i = 0; i < call.rated.rows; i++, z += C) {
            T most = z[0] - steps[0];
            int64_t top = 0;
            for (int64_t c = 1; c < C; c++) {
                const T x = z[c] - steps[c];
                top = x > most ? c : top;
                most = x > most ? x : most;
            }
            table[call.cell[i] * C + top] += call.weights ? call.weights[i] : 1.0;
        }
    }
}

template <class T> void moves_of(const Moves& call) {
    const int64_t C = call.rated.C, moves = 2 * call.reach + 1;
    const T width = static_cast<T>(call.width), first = static_cast<T>(call.reach);
    const T* z = static_cast<const T*>(call.rated.at);
    for (int64_t i = 0; i < call.rated.rows; i++, z += C) {
        int64_t other = call.c == 0;
        T most = z[other];
        for (int64_t c = other + 1; c < C; c++) {
            const bool higher = c != call.c && z[c] > most;
            other = higher ? c : other;
            most = higher ? z[c] : most;
        }
        const T last = std::floor((z[call.c] - most) / width) + first + 1;
        // what is no number counts as never called c
        const int64_t place = last >= static_cast<T>(moves) ? moves : last > 0 ? static_cast<int64_t>(last) : 0;
        const int64_t cell = (call.cell[i] * (moves + 1) + place) * C + call.label[i];
        call.lost[cell * C + other] += call.weights ? call.weights[i] : 1.0;
    }
}

}  // namespace

void step_tables(const Steps& call) { call.rated.doubles ? tables_of<double>(call) : tables_of<float>(call); }

void step_moves(const Moves& call) { call.rated.doubles ? moves_of<double>(call) : moves_of<float>(call); }

}  // namespace steelyard
