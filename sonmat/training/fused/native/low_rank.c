/* Products with the small matrices of LoRA, each in one pass over the large one beside them. Called through ctypes by low_rank.py.
 *
 * Libraries' products are made for matrices that are large both ways; of rank 16 they take up to twice as long. Pairs of bf16 are
 * multiplied and summed in float32 by one instruction, which not every processor has: multiplies_pairs() says whether this one does.
 * A rank is a multiple of 8. Threads share out rows or columns of what is written, so that results do not depend on their number.
 */
#include <stdlib.h>

#include "vectors.h"

#if HAS_PAIRS

static inline int64_t vectors_of(int64_t columns) { return (columns + LANES - 1) / LANES; }

/* B, shape (columns, rank), times `scale`, in the two orders in which it is read: across as (rank / 2, columns, 2) for `low_rank_add`,
 * along as (columns / 2, rank up to a whole vector, 2) for `low_rank_reduce`. `columns` is even. */
void low_rank_lay_out(const float *up, int64_t columns, int64_t rank, float scale, bf16 *across, bf16 *along) {
    int64_t lanes = vectors_of(rank) * LANES;
    memset(along, 0, (size_t)(columns * lanes) * 2);
    for (int64_t n = 0; n < columns; n++)
        for (int64_t r = 0; r < rank; r++) {
            bf16 value = narrow(up[n * rank + r] * scale);
            across[(r / 2 * columns + n) * 2 + r % 2] = value;
            along[(n / 2 * lanes + r) * 2 + n % 2] = value;
        }
}

/* ── outputs += small · Bᵀ ─────────────────────────────────────────────────────────────────────────────────────────── */

INLINE void add_to(const int rows, const int vectors, bf16 *outputs, int64_t stride, const bf16 *small, int64_t small_stride,
                   const bf16 *across, int64_t columns, int64_t pairs, __mmask16 last) {
    __m512 sums[6][4];
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sums[i][v] = widened(_mm256_maskz_loadu_epi16(v == vectors - 1 ? last : 0xffff, outputs + i * stride + LANES * v));
    for (int64_t p = 0; p < pairs; p++) {
        __m512bh right[4];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            right[v] = (__m512bh)_mm512_maskz_loadu_epi32(v == vectors - 1 ? last : 0xffff, across + 2 * (p * columns + LANES * v));
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            __m512bh left = (__m512bh)_mm512_set1_epi32(((const Pair *)(small + i * small_stride))[p]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_dpbf16_ps(sums[i][v], left, right[v]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            _mm256_mask_storeu_epi16(outputs + i * stride + LANES * v, v == vectors - 1 ? last : 0xffff,
                                     (__m256i)_mm512_cvtneps_pbh(sums[i][v]));
}

INLINE void add_to_rows(const int rows, bf16 *outputs, int64_t stride, const bf16 *small, int64_t small_stride, const bf16 *across,
                        int64_t columns, int64_t pairs) {
    int64_t n = 0;
    for (; n + 4 * LANES <= columns; n += 4 * LANES)
        add_to(rows, 4, outputs + n, stride, small, small_stride, across + 2 * n, columns, pairs, 0xffff);
    for (; n < columns; n += LANES)
        add_to(rows, 1, outputs + n, stride, small, small_stride, across + 2 * n, columns, pairs, lanes_before(columns, n));
}

/* outputs, (tokens, columns), += small, (tokens, rank), · Bᵀ. */
void low_rank_add(bf16 *outputs, int64_t stride, const bf16 *small, int64_t small_stride, const bf16 *across, int64_t tokens,
                  int64_t columns, int64_t rank) {
#pragma omp parallel for schedule(static)
    for (int64_t tile = 0; tile < (tokens + 5) / 6; tile++) {
        int64_t t = 6 * tile;
        if (t + 6 <= tokens)
            add_to_rows(6, outputs + t * stride, stride, small + t * small_stride, small_stride, across, columns, rank / 2);
        else
            for (; t < tokens; t++)
                add_to_rows(1, outputs + t * stride, stride, small + t * small_stride, small_stride, across, columns, rank / 2);
    }
}

/* ── upstream · B ──────────────────────────────────────────────────────────────────────────────────────────────────── */

INLINE void reduce_rows(const int rows, const bf16 *upstream, int64_t stride, const bf16 *along, int64_t lanes, int64_t pairs,
                        bf16 *to, int64_t to_stride, __mmask16 lane) {
    __m512 sums[16];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) sums[i] = _mm512_setzero_ps();
    for (int64_t p = 0; p < pairs; p++) {
        __m512bh right = (__m512bh)_mm512_loadu_si512(along + 2 * p * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
            sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)_mm512_set1_epi32(((const Pair *)(upstream + i * stride))[p]), right);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) _mm256_mask_storeu_epi16(to + i * to_stride, lane, (__m256i)_mm512_cvtneps_pbh(sums[i]));
}

/* to, (tokens, rank), = upstream, (tokens, columns), · B. */
void low_rank_reduce(const bf16 *upstream, int64_t stride, const bf16 *along, int64_t tokens, int64_t columns, int64_t rank, bf16 *to,
                     int64_t to_stride) {
    int64_t lanes = vectors_of(rank) * LANES;
#pragma omp parallel for schedule(static)
    for (int64_t tile = 0; tile < (tokens + 15) / 16; tile++)
        for (int64_t r = 0; r < rank; r += LANES) {
            int64_t t = 16 * tile, end = t + 16 < tokens ? t + 16 : tokens;
            __mmask16 lane = lanes_before(rank, r);
            if (end - t == 16)
                reduce_rows(16, upstream + t * stride, stride, along + 2 * r, lanes, columns / 2, to + t * to_stride + r, to_stride, lane);
            else
                for (; t < end; t++)
                    reduce_rows(1, upstream + t * stride, stride, along + 2 * r, lanes, columns / 2, to + t * to_stride + r, to_stride, lane);
        }
}

/* ── gradients of the small matrices ───────────────────────────────────────────────────────────────────────────────── */

/* Pairs of tokens and vectors of columns that one thread takes at a time: what they touch stays in its nearest cache. */
#define DEEP 64
#define BROAD 4

/* Rows 2p and 2p + 1 of 16 columns, as pairs. */
INLINE __m512bh pair_of_rows(const bf16 *even, const bf16 *odd, __mmask16 lane, __m512i order) {
    __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi16(lane, even)), _mm256_maskz_loadu_epi16(lane, odd), 1);
    return (__m512bh)_mm512_permutexvar_epi16(order, both);
}

INLINE void sum_over(const int ranks, const Pair *small, int64_t rank, const bf16 *wide_ones, int64_t stride, int64_t first,
                     int64_t past, int64_t tokens, __mmask16 lane, __m512i order, float *held) {
    __m512 sums[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < ranks; r++) sums[r] = _mm512_load_ps(held + LANES * r);
    for (int64_t p = first; p < past; p++) {
        const bf16 *even = wide_ones + 2 * p * stride, *odd = 2 * p + 1 < tokens ? even + stride : even;
        __m512bh right = pair_of_rows(even, odd, lane, order);
#pragma GCC unroll 16
        for (int r = 0; r < ranks; r++) sums[r] = _mm512_dpbf16_ps(sums[r], (__m512bh)_mm512_set1_epi32(small[p * rank + r]), right);
    }
#pragma GCC unroll 16
    for (int r = 0; r < ranks; r++) _mm512_store_ps(held + LANES * r, sums[r]);
}

/* found = scale · smallᵀ · wide_ones, small (tokens, rank), wide_ones (tokens, columns); found (rank, columns), or (columns, rank) if
 * `across`. 1 if memory is short. */
int low_rank_gradient(const bf16 *small, int64_t small_stride, const bf16 *wide_ones, int64_t stride, int64_t tokens, int64_t columns,
                      int64_t rank, float scale, int across, float *found) {
    int64_t pairs = (tokens + 1) / 2;
    bf16 *by_pair = malloc((size_t)(pairs * rank) * 4 + 4);
    if (!by_pair) return 1;
    for (int64_t p = 0; p < pairs; p++) {
        const bf16 *even = small + 2 * p * small_stride;
        /* The last of an odd number is counted once. */
        int both = 2 * p + 1 < tokens;
        for (int64_t r = 0; r < rank; r++) {
            by_pair[2 * (p * rank + r)] = even[r];
            by_pair[2 * (p * rank + r) + 1] = both ? even[small_stride + r] : 0;
        }
    }
    uint16_t places[2 * LANES];
    for (int i = 0; i < 2 * LANES; i++) places[i] = (uint16_t)(i / 2 + i % 2 * LANES);
    __m512i order = _mm512_loadu_si512(places);
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < columns; from += BROAD * LANES)
        for (int64_t r = 0; r < rank; r += LANES) {
            int ranks = rank - r >= LANES ? LANES : (int)(rank - r);
            float held[BROAD][LANES * LANES] __attribute__((aligned(64)));
            memset(held, 0, sizeof held);
            for (int64_t first = 0; first < pairs; first += DEEP) {
                int64_t past = first + DEEP < pairs ? first + DEEP : pairs;
                for (int64_t v = 0, n = from; v < BROAD && n < columns; v++, n += LANES) {
                    const Pair *told = (const Pair *)by_pair + r;
                    if (ranks == LANES)
                        sum_over(LANES, told, rank, wide_ones + n, stride, first, past, tokens, lanes_before(columns, n), order, held[v]);
                    else
                        sum_over(8, told, rank, wide_ones + n, stride, first, past, tokens, lanes_before(columns, n), order, held[v]);
                }
            }
            for (int64_t n = from; n < columns && n < from + BROAD * LANES; n++)
                for (int k = 0; k < ranks; k++) {
                    float value = held[(n - from) / LANES][LANES * k + (n - from) % LANES] * scale;
                    found[across ? n * rank + r + k : (r + k) * columns + n] = value;
                }
        }
    free(by_pair);
    return 0;
}

#endif
