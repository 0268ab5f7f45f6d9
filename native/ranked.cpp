// Scores in their order, and how well they rank the rows that are positive, for many draws of the rows at once.
#include "ranked.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "call.hpp"

namespace steelyard {
namespace {

constexpr int BITS = 11;            // of a key that one round sorts by: the counts of 2^11 places stay in the nearest cache
constexpr int64_t FEW = 512;        // rows below which comparing them is faster than counting
constexpr int LANES = 32;           // draws at a time: two cache lines of floats

// Whole numbers that rise where scores fall.
template <class T> auto key(T score) {
    typedef std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> Key;
    constexpr Key sign = Key(1) << (8 * sizeof(T) - 1);
    if (score != score) return Key(0);
    const Key bits = score == 0 ? Key(0) : peek(reinterpret_cast<const Key*>(&score));
    return bits & sign ? bits : Key(~(bits | sign));
}

template <class T> struct Order {
    typedef decltype(key(T())) Key;
    struct Item {
        Key key;
        uint32_t row;
    };
    std::vector<Item> items;

    explicit Order(const Scores& scores) : items(scores.rows) {
        const T* x = static_cast<const T*>(scores.at);
        for (int64_t i = 0; i < scores.rows; i++) items[i] = {key(peek(x + i)), static_cast<uint32_t>(i)};
        if (scores.rows < FEW)
            std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.key < b.key; });
        else
            by_digits();
    }

    // From the lowest digit to the highest, each round stable; a digit that all keys share is left out.
    void by_digits() {
        constexpr int rounds = (8 * sizeof(Key) + BITS - 1) / BITS, places = 1 << BITS;
        std::vector<uint32_t> counts(rounds * places);
        for (const Item& item : items)
            for (int r = 0; r < rounds; r++) counts[r * places + (item.key >> (r * BITS) & (places - 1))]++;
        std::vector<Item> other(items.size());
        for (int r = 0; r < rounds; r++) {
            uint32_t* count = counts.data() + r * places;
            const auto digit = [&](const Item& item) { return item.key >> (r * BITS) & (places - 1); };
            if (count[digit(items[0])] == items.size()) continue;
            uint32_t start = 0;
            for (int i = 0; i < places; i++) {
                const uint32_t many = count[i];
                count[i] = start;
                start += many;
            }
            for (const Item& item : items) other[count[digit(item)]++] = item;
            items.swap(other);
        }
    }
};

template <class T> void falling_of(const Scores& scores, int64_t* order) {
    const Order<T> sorted(scores);
    for (int64_t i = 0; i < scores.rows; i++) order[i] = sorted.items[i].row;
}

template <class T> int32_t slots_of(const Scores& scores, const uint8_t* positive, int32_t* slot) {
    const Order<T> sorted(scores);
    const auto& items = sorted.items;
    const int64_t n = scores.rows;
    int32_t G = 0;  // first of a positive's level; kinds are told apart when G is known: negatives have -1 - g, and -1 - g - 2^30 if tied
    constexpr int32_t TIED = 1 << 30;
    for (int64_t i = 0, end; i < n; i = end) {
        bool holds = false;
        for (end = i; end < n && items[end].key == items[i].key; end++) holds |= positive[items[end].row] != 0;
        for (int64_t j = i; j < end; j++) slot[items[j].row] = positive[items[j].row] ? G : -1 - G - (holds ? TIED : 0);
        G += holds;
    }
    for (int64_t i = 0; i < n; i++)
        if (slot[i] < 0) slot[i] = slot[i] < -TIED ? G + (-1 - slot[i] - TIED) : 2 * G + (-1 - slot[i]);
    return G;
}

template <class T> void rank_some(const Ranking& call, int64_t from, int64_t lanes, std::vector<T>& sums) {
    const int64_t G = call.levels;
    std::fill(sums.begin(), sums.end(), T(0));
    const T* w = static_cast<const T*>(call.weights) + from;
    for (int64_t i = 0; i < call.rows; i++, w += call.draws) {
        T* sum = sums.data() + static_cast<int64_t>(call.slot[i]) * LANES;
        if (lanes == LANES)
            for (int k = 0; k < LANES; k++) sum[k] += w[k];
        else
            for (int64_t k = 0; k < lanes; k++) sum[k] += w[k];
    }
    const T *step = sums.data(), *tied = step + G * LANES, *between = tied + G * LANES;
    double negatives[LANES] = {}, found[LANES] = {}, alarms[LANES] = {}, precision[LANES] = {}, right[LANES] = {};
    for (int64_t g = 0; g < G; g++)
        for (int k = 0; k < LANES; k++) negatives[k] += static_cast<double>(tied[g * LANES + k]) + static_cast<double>(between[g * LANES + k]);
    for (int k = 0; k < LANES; k++) negatives[k] += static_cast<double>(between[G * LANES + k]);
    for (int64_t g = 0; g < G; g++)
        for (int k = 0; k < LANES; k++) {
            const double own = step[g * LANES + k], same = tied[g * LANES + k];
            found[k] += own;
            alarms[k] += same + static_cast<double>(between[g * LANES + k]);
            const double shown = found[k] + alarms[k];
            precision[k] += own * (found[k] / (shown > 0 ? shown : 1));
            right[k] += own * (negatives[k] - alarms[k] + same / 2);
        }
    for (int64_t k = 0; k < lanes; k++) {
        const double pairs = found[k] * negatives[k];
        if (call.average_precision) call.average_precision[from + k] = precision[k] / (found[k] > 0 ? found[k] : 1);
        if (call.roc_auc) call.roc_auc[from + k] = pairs > 0 ? right[k] / pairs : 0.5;
    }
}

template <class T> void rank_all(const Ranking& call) {
    std::vector<T> sums((3 * static_cast<int64_t>(call.levels) + 1) * LANES);
    for (int64_t from = 0; from < call.draws; from += LANES)
        rank_some<T>(call, from, std::min<int64_t>(LANES, call.draws - from), sums);
}

template <class T> int64_t corners_of(const Cuts& call) {
    const T* score = static_cast<const T*>(call.scores.at);
    int64_t corners = 0;
    const auto add = [&](double cut, double hits, double alarms) {
        double *h = call.hits, *a = call.alarms;
        while (corners > 1) {
            const int64_t i = corners - 2, j = corners - 1;
            if ((h[j] - h[i]) * (alarms - a[j]) - (hits - h[j]) * (a[j] - a[i]) > 0) break;
            corners--;
        }
        call.cut[corners] = cut;
        h[corners] = hits;
        a[corners++] = alarms;
    };
    constexpr double endless = std::numeric_limits<double>::infinity();
    double hits = 0, alarms = 0, high = 0, before = 0;  // `before`: hits above the scores that equal `high`
    bool any = false;
    add(endless, 0, 0);
    for (int64_t k = 0; k < call.scores.rows; k++) {
        const int64_t i = call.order[k];
        if (!call.kept[i]) continue;
        const double low = static_cast<double>(peek(score + i));
        if (any && low != high) {
            if (hits > before) {  // a cut that finds nobody new is no corner
                const double middle = low + (high - low) / 2;
                add(middle > low ? middle : high, hits, alarms);  // neighbouring floats have nothing between them
            }
            before = hits;
        }
        any = true;
        high = low;
        (call.positive[i] ? hits : alarms) += 1;
    }
    if (any) add(-endless, hits, alarms);
    return corners;
}

}  // namespace

void falling(const Scores& scores, int64_t* order) {
    scores.doubles ? falling_of<double>(scores, order) : falling_of<float>(scores, order);
}

int32_t slots(const Scores& scores, const uint8_t* positive, int32_t* slot) {
    return scores.doubles ? slots_of<double>(scores, positive, slot) : slots_of<float>(scores, positive, slot);
}

int64_t cut_corners(const Cuts& call) { return call.scores.doubles ? corners_of<double>(call) : corners_of<float>(call); }

void rank_draws(const Ranking& call) { call.doubles ? rank_all<double>(call) : rank_all<float>(call); }

}  // namespace steelyard
