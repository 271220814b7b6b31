/* What dropout drops: a function of (seed, line, column), so that a backward pass asks again instead of remembering. */
#include "vectors.h"

/* SplitMix64 (Steele, Lea and Flood 2014): one number of 64 bits for each line of a seed. */
static inline uint64_t line_of(uint64_t seed, uint64_t line) {
    uint64_t z = seed + (line + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 32 bits for a column of a line, by an integer hash that keeps lanes of a vector busy (lowbias32, Wellons 2018). */
static inline uint32_t draw(uint64_t line, uint32_t column) {
    uint32_t x = column * 0x9e3779b9u ^ (uint32_t)line;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= (x >> 15) ^ (uint32_t)(line >> 32);
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

/* 1 / (1 - share) where a number stays, 0 where it is dropped; `below` is share · 2³². */
static inline float stays(uint64_t line, int64_t column, uint32_t below, float scale) {
    return draw(line, (uint32_t)column) >= below ? scale : 0.0f;
}

#if HAS_PAIRS

/* What dropout does in one place of one pass; `below` is its share · 2³². */
typedef struct {
    uint64_t seed;
    uint32_t below;
    float kept_scale;
} Dropping;

/* `stays` of 16 columns that begin at `column`. */
INLINE __m512 staying(uint64_t line, int64_t column, Dropping d) {
    __m512i first = _mm512_set1_epi32((int32_t)column);
    __m512i columns = _mm512_add_epi32(first, _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    __m512i x = _mm512_xor_si512(_mm512_mullo_epi32(columns, _mm512_set1_epi32((int32_t)0x9e3779b9u)), _mm512_set1_epi32((int32_t)line));
    x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), _mm512_set1_epi32(0x7feb352d));
    x = _mm512_xor_si512(x, _mm512_xor_si512(_mm512_srli_epi32(x, 15), _mm512_set1_epi32((int32_t)(line >> 32))));
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32((int32_t)0x846ca68bu));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
    return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(x, _mm512_set1_epi32((int32_t)d.below)), _mm512_set1_ps(d.kept_scale));
}

#endif
