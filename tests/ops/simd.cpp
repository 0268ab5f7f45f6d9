// What tests/ops/test_simd.py compares with NumPy: reads floats and halves, writes what native/simd.hpp makes of them.
#include <cmath>
#include <cstdio>
#include <vector>

#include "vectors.hpp"

using namespace steelyard::STEELYARD_SET;

template <class T> static std::vector<T> read(const char* path) {
    std::FILE* file = std::fopen(path, "rb");
    std::fseek(file, 0, SEEK_END);
    std::vector<T> out(std::ftell(file) / sizeof(T));
    std::rewind(file);
    if (std::fread(out.data(), sizeof(T), out.size(), file) != out.size()) std::abort();
    std::fclose(file);
    return out;
}
template <class T> static void write(const std::vector<T>& x) { std::fwrite(x.data(), sizeof(T), x.size(), stdout); }

template <class Type> static void converted(const std::vector<float>& floats, const std::vector<uint16_t>& halves) {
    std::vector<float> wide(halves.size());
    for (size_t i = 0; i < halves.size(); i += LANES) F32::store(&wide[i], Type::load(&halves[i]));
    write(wide);
    for (size_t i = 0; i < halves.size(); i++) wide[i] = Type::one(&halves[i]);
    write(wide);
    std::vector<uint16_t> narrow(floats.size());
    for (size_t i = 0; i < floats.size(); i += LANES) Type::store(&narrow[i], F32::load(&floats[i]));
    write(narrow);
    for (size_t i = 0; i < floats.size(); i++) Type::put(&narrow[i], floats[i]);
    write(narrow);
    for (size_t i = 0; i < floats.size(); i += 2 * LANES) Type::store(&narrow[i], F32::load(&floats[i]), F32::load(&floats[i + LANES]));
    write(narrow);
    // every third lane, and the first few of a vector
    const auto live = lane() % 3 == 0;
    for (size_t i = 0; i < halves.size(); i += LANES) F32::store(&wide[i], Type::load(&halves[i], Type::mask(live)));
    write(wide);
    for (size_t i = 0; i < halves.size(); i += LANES) F32::store(&wide[i], load_some<Type>(&halves[i], i / LANES % LANES));
    write(wide);
    for (size_t i = 0; i < floats.size(); i += LANES) store_some<Type>(&narrow[i], all(1.0f), i / LANES % LANES);
    write(narrow);
}

int main(int, char** paths) {
    const auto floats = read<float>(paths[1]);
    const auto halves = read<uint16_t>(paths[2]);
    const auto finite = read<float>(paths[3]);
    write(std::vector<int32_t>{LANES});
    converted<F16>(floats, halves);
    converted<BF16>(floats, halves);
    // of every 16 numbers
    std::vector<float> sums, most;
    std::vector<uint32_t> above;
    for (size_t i = 0; i < finite.size(); i += 16) {
        Floats total{}, top = F32::load(&finite[i]);
        uint32_t mask = 0, found = 0;
        for (int64_t j = 0; j < 16; j += LANES) {
            const Floats x = F32::load(&finite[i + j]);
            total = total + x;
            top = larger(top, x);
            mask |= lanes_of(x > 1.0f) << j;
            found |= any(x > 1.0f) ? 1u << 16 : 0u;
        }
        sums.push_back(sum(total));
        most.push_back(largest(top));
        above.push_back(mask | found);
    }
    write(sums);
    write(most);
    write(above);
    // the halves' bytes, and pairs of them as wide labels
    const auto* bytes = reinterpret_cast<const uint8_t*>(halves.data());
    std::vector<int32_t> labels(2 * halves.size());
    for (size_t i = 0; i < labels.size(); i += LANES) put(&labels[i], low_words(bytes + i));
    write(labels);
    const auto* wide = reinterpret_cast<const int64_t*>(floats.data());
    labels.resize(floats.size() / 2);
    for (size_t i = 0; i < labels.size(); i += LANES) put(&labels[i], low_words(wide + i));
    write(labels);
    // powers and logarithms
    std::vector<float> of(finite.size());
    for (size_t i = 0; i < of.size(); i += LANES) F32::store(&of[i], exp(-F32::load(&finite[i])));
    write(of);
    for (size_t i = 0; i < of.size(); i += LANES) F32::store(&of[i], log(F32::load(&finite[i])));
    write(of);
    for (size_t i = 0; i < of.size(); i += LANES) F32::store(&of[i], inverse(1.0f + F32::load(&finite[i])));
    write(of);
    for (size_t i = 0; i < of.size(); i += LANES) F32::store(&of[i], log_of_sum(1.0f + F32::load(&finite[i])));
    write(of);
    write(std::vector<float>{exp(all(-INF))[0], exp(all(-NAN))[0], exp(all(NAN))[0], log_of_sum(all(NAN))[0], log_of_sum(all(-NAN))[0]});
    return 0;
}
