/* Vectors of 16 numbers for products of pairs of bf16, summed in float32: an instruction that not every processor has. HAS_PAIRS says
 * whether this one does; nothing else of this file is there where it does not. */
#include "numbers.h"

#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>

#define HAS_PAIRS 1
#define LANES 16
#define INLINE static inline __attribute__((always_inline))

/* Two bf16 that are multiplied with two others and summed. */
typedef int32_t __attribute__((may_alias)) Pair;

INLINE __m512 widened(__m256i narrow_ones) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow_ones), 16));
}

/* Lanes that are among the first `count`, for a vector that begins at `from`. */
INLINE __mmask16 lanes_before(int64_t count, int64_t from) {
    return count - from >= LANES ? 0xffff : (__mmask16)((1 << (count - from)) - 1);
}

#else
#define HAS_PAIRS 0
#endif
