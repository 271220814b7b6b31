/* Products of small matrices that stay in the cache, and how numbers are laid out for them: what attention in tiles is made of. */
#include <stdlib.h>

#include "dropout.h"

#if HAS_PAIRS

/* Columns that one product writes at a time: four vectors of 16. */
#define BLOCK 64
/* Rows of a product held in registers. */
#define ROWS 6
/* Queries taken at a time; those of all heads that share keys count. */
#define TILE 48

static inline int64_t blocks_of(int64_t columns) { return (columns + BLOCK - 1) / BLOCK; }

static inline int64_t whole_blocks(int64_t columns) { return blocks_of(columns) * BLOCK; }

static inline int64_t at_most(int64_t count) { return count < TILE ? count : TILE; }

/* ── vectors ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

static inline __m512 wide_vector(const bf16 *from) { return widened(_mm256_loadu_si256((const __m256i *)from)); }

static inline void narrow_vector(__m512 from, bf16 *to) { _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(from)); }

/* `exponential` of numbers.h. A scalar rest of a loop would take longer than the loop. */
static inline __m512 exponentials(__m512 x) {
    __m512 held = _mm512_min_ps(_mm512_set1_ps(88.0f), _mm512_max_ps(_mm512_set1_ps(-87.0f), x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(held, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), held));
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(p, r), r, _mm512_add_ps(r, _mm512_set1_ps(1.0f)));
    __m512 found = _mm512_scalef_ps(p, n);
    /* max and min drop what is not a number. */
    return _mm512_mask_mov_ps(found, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

/* ── products of small matrices ────────────────────────────────────────────────────────────────────────────────────── */

/* c (+)= a · b for `rows` ≤ ROWS rows and `vectors` ≤ 4 times 16 columns of a block. Numbers that are multiplied with one another and
 * summed lie in pairs: pair p of row r of `a` at a[r · row + p · pair], those of b as (pair, BLOCK). */
static inline __attribute__((always_inline)) void product_of_rows(const int rows, const int vectors, int64_t pairs,
                                                                  const Pair *a, int64_t row, int64_t pair, const bf16 *b,
                                                                  float *c, int64_t width, int adding) {
    __m512 sums[ROWS][4];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sums[r][v] = adding ? _mm512_loadu_ps(c + r * width + 16 * v) : _mm512_setzero_ps();
    for (int64_t p = 0; p < pairs; p++) {
        __m512bh right[4];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) right[v] = (__m512bh)_mm512_loadu_si512(b + 2 * (p * BLOCK + 16 * v));
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512bh left = (__m512bh)_mm512_set1_epi32(a[r * row + p * pair]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], left, right[v]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) _mm512_storeu_ps(c + r * width + 16 * v, sums[r][v]);
}

static inline __attribute__((always_inline)) void product_of_block(const int vectors, int64_t rows, int64_t pairs, const Pair *a,
                                                                   int64_t row, int64_t pair, const bf16 *b, float *c, int64_t width,
                                                                   int adding) {
    int64_t r = 0;
    for (; r + ROWS <= rows; r += ROWS) product_of_rows(ROWS, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding);
    switch (rows - r) {
        case 5: product_of_rows(5, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding); break;
        case 4: product_of_rows(4, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding); break;
        case 3: product_of_rows(3, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding); break;
        case 2: product_of_rows(2, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding); break;
        case 1: product_of_rows(1, vectors, pairs, a + r * row, row, pair, b, c + r * width, width, adding); break;
        default: break;
    }
}

/* The same for any number of rows and columns, up to the end of a vector; b as (block, `depth` pairs, BLOCK), of which the first `pairs`
 * count. */
static void product(int64_t rows, int64_t columns, int64_t pairs, const void *left, int64_t row, int64_t pair, const bf16 *b,
                    int64_t depth, float *c, int64_t width, int adding) {
    const Pair *a = left;
    for (; columns > 0; columns -= BLOCK, b += 2 * BLOCK * depth, c += BLOCK) {
        if (columns > 48)
            product_of_block(4, rows, pairs, a, row, pair, b, c, width, adding);
        else if (columns > 32)
            product_of_block(3, rows, pairs, a, row, pair, b, c, width, adding);
        else if (columns > 16)
            product_of_block(2, rows, pairs, a, row, pair, b, c, width, adding);
        else
            product_of_block(1, rows, pairs, a, row, pair, b, c, width, adding);
    }
}

/* ── how numbers are laid out for them ─────────────────────────────────────────────────────────────────────────────── */

/* Pairs along a row, e.g. of keys for queries · keysᵀ: (block of places, pair, place). */
static inline void put_along(const bf16 *line, int64_t place, int64_t size, bf16 *packed) {
    bf16 *to = packed + (place / BLOCK) * BLOCK * size + 2 * (place % BLOCK);
    for (int64_t p = 0; p < size / 2; p++) memcpy(to + p * 2 * BLOCK, line + 2 * p, 4);
}

/* Pairs of neighbouring rows, e.g. of values for shares · values: (block of columns, pair of places, column). `depth` pairs in all. */
static inline void put_across(const bf16 *even, const bf16 *odd, int64_t at, int64_t size, int64_t depth, bf16 *packed) {
    for (int64_t i = 0; i < size; i += LANES) {
        __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(even + i)));
        __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(odd + i)));
        bf16 *to = packed + (i / BLOCK) * 2 * BLOCK * depth + 2 * (at * BLOCK + i % BLOCK);
        _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

static inline void narrow_line(const float *from, int64_t size, bf16 *to) {
    for (int64_t i = 0; i < size; i += LANES) narrow_vector(_mm512_loadu_ps(from + i), to + i);
}

/* Two lines of float32 side by side, as (key, line). */
static inline void narrow_across(const float *even, const float *odd, int64_t width, bf16 *to) {
    for (int64_t k = 0; k < width; k += LANES) {
        __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(even + k)));
        __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(odd + k)));
        _mm512_storeu_si512(to + 2 * k, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

/* Lines that lie `stride` apart, by pairs of neighbours: `put_across`. */
static inline void lay_across(const bf16 *lines, int64_t stride, int64_t count, int64_t size, int64_t depth, bf16 *packed) {
    const bf16 nothing[1024] = {0};
    for (int64_t place = 0; place < count; place += 2)
        put_across(lines + place * stride, place + 1 < count ? lines + (place + 1) * stride : nothing, place / 2, size, depth, packed);
}

static inline float product_of_lines(const bf16 *one, const bf16 *other, int64_t size) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t d = 0; d < size; d++) sum += wide(one[d]) * wide(other[d]);
    return sum;
}

/* ── shares ────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Shares of `seen` keys from their scores, 0 behind them up to `width`, or what dropout leaves of them if `dropping`; the logarithm of the
 * sum that they were divided by. */
INLINE float shares_of(const int dropping, float *scores, int64_t seen, int64_t width, float scale, Dropping d, uint64_t line,
                       bf16 *used) {
    __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int64_t k = 0; k < seen; k += LANES)
        most = _mm512_mask_max_ps(most, lanes_before(seen, k), most, _mm512_loadu_ps(scores + k));
    float largest = _mm512_reduce_max_ps(most);
    for (int64_t k = 0; k < seen; k += LANES) {
        __m512 below = _mm512_sub_ps(_mm512_loadu_ps(scores + k), _mm512_set1_ps(largest));
        __m512 found = _mm512_maskz_mov_ps(lanes_before(seen, k), exponentials(_mm512_mul_ps(below, _mm512_set1_ps(scale))));
        _mm512_storeu_ps(scores + k, found);
        sum = _mm512_add_ps(sum, found);
    }
    float total = _mm512_reduce_add_ps(sum);
    int64_t k = 0;
    for (; k < seen; k += LANES) {
        __m512 share = _mm512_mul_ps(_mm512_loadu_ps(scores + k), _mm512_set1_ps(1.0f / total));
        narrow_vector(dropping ? _mm512_mul_ps(share, staying(line, k, d)) : share, used + k);
    }
    if (k < width) memset(used + k, 0, (size_t)(width - k) * 2);
    return largest * scale + logf(total);
}

/* From scores and the gradient of what was used of the shares: what was used into `scores`, the gradient of the scores into `of_used`,
 * both 0 behind the `seen` keys up to `width`. `sum` is what `shares_of` gave, `along` the product of what attention gave and its
 * gradient. */
INLINE void of_scores_of(const int dropping, float *scores, float *of_used, int64_t seen, int64_t width, float scale, Dropping d,
                         uint64_t line, float sum, float along) {
    int64_t k = 0;
    for (; k < seen; k += LANES) {
        __m512 below = _mm512_fmsub_ps(_mm512_loadu_ps(scores + k), _mm512_set1_ps(scale), _mm512_set1_ps(sum));
        __m512 share = _mm512_maskz_mov_ps(lanes_before(seen, k), exponentials(below)), used = share;
        __m512 upstream = _mm512_loadu_ps(of_used + k);
        if (dropping) {
            __m512 kept = staying(line, k, d);
            upstream = _mm512_mul_ps(upstream, kept);
            used = _mm512_mul_ps(share, kept);
        }
        __m512 apart = _mm512_sub_ps(upstream, _mm512_set1_ps(along));
        __m512 flow = _mm512_mul_ps(_mm512_mul_ps(share, apart), _mm512_set1_ps(scale));
        _mm512_storeu_ps(scores + k, used);
        _mm512_storeu_ps(of_used + k, _mm512_maskz_mov_ps(lanes_before(seen, k), flow));
    }
    if (k < width) {
        memset(scores + k, 0, (size_t)(width - k) * 4);
        memset(of_used + k, 0, (size_t)(width - k) * 4);
    }
}

/* ── room to work in ───────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Some numbers of a thread's room; `used` grows in whole cache lines. */
static inline void *taken(char *room, int64_t *used, int64_t bytes) {
    void *found = room + *used;
    *used += (bytes + 63) / 64 * 64;
    return found;
}

static char *room_of(int64_t bytes) {
    void *room = NULL;
    return posix_memalign(&room, 64, (size_t)bytes) ? NULL : room;
}

/* ── a tile on the way back ────────────────────────────────────────────────────────────────────────────────────────── */

/* Room for one tile of queries, and for the gradients of all keys and values, to which tiles add. `lines`, `queries` and `upstream` are for
 * callers whose lines do not lie evenly or have to be turned. */
typedef struct {
    bf16 *keys, *values, *keys_across, *lines, *queries, *upstream, *queries_across, *upstream_across;
    bf16 *of_scores, *of_scores_across, *used_across;
    float *scores, *of_used, *of_queries, *of_keys, *of_values;
    int64_t bytes;
} Backward;

static inline Backward backward_room(char *room, int64_t tokens, int64_t size) {
    Backward b;
    int64_t taken_bytes = 0, keys = whole_blocks(tokens), columns = whole_blocks(size);
    b.keys = taken(room, &taken_bytes, 2 * keys * size);
    b.values = taken(room, &taken_bytes, 2 * keys * size);
    b.keys_across = taken(room, &taken_bytes, 2 * keys * columns);
    b.lines = taken(room, &taken_bytes, 4 * size);
    b.queries = taken(room, &taken_bytes, 2 * TILE * size);
    b.upstream = taken(room, &taken_bytes, 2 * TILE * size);
    b.queries_across = taken(room, &taken_bytes, 2 * TILE * columns);
    b.upstream_across = taken(room, &taken_bytes, 2 * TILE * columns);
    b.of_scores = taken(room, &taken_bytes, 2 * TILE * keys);
    b.of_scores_across = taken(room, &taken_bytes, 2 * TILE * keys);
    b.used_across = taken(room, &taken_bytes, 2 * TILE * keys);
    b.scores = taken(room, &taken_bytes, 4 * TILE * keys);
    b.of_used = taken(room, &taken_bytes, 4 * TILE * keys);
    b.of_queries = taken(room, &taken_bytes, 4 * TILE * size);
    b.of_keys = taken(room, &taken_bytes, 4 * keys * size);
    b.of_values = taken(room, &taken_bytes, 4 * keys * size);
    b.bytes = taken_bytes;
    return b;
}

/* Queries and the gradients of what they were given, lines that lie apart by a stride; of `seen` keys in `width` columns. `depth` pairs of
 * keys are laid out across. */
typedef struct {
    const bf16 *queries, *upstream;
    int64_t stride, upstream_stride, count, size, seen, width, depth;
} Tile;

/* Scores into `scores` and the gradient of what was used of the shares into `of_used`, for `of_scores_of` of each line. */
static inline void tile_begins(Tile t, Backward b) {
    lay_across(t.queries, t.stride, t.count, t.size, TILE / 2, b.queries_across);
    lay_across(t.upstream, t.upstream_stride, t.count, t.size, TILE / 2, b.upstream_across);
    product(t.count, t.seen, t.size / 2, t.queries, t.stride / 2, 1, b.keys, t.size / 2, b.scores, t.width, 0);
    product(t.count, t.seen, t.size / 2, t.upstream, t.upstream_stride / 2, 1, b.values, t.size / 2, b.of_used, t.width, 0);
}

/* The gradients of the tile's queries into `of_queries`, and what it adds to those of keys and values. */
static inline void tile_ends(Tile t, Backward b) {
    int64_t even = t.count + t.count % 2;
    if (even > t.count) {
        memset(b.scores + t.count * t.width, 0, (size_t)t.width * 4);
        memset(b.of_used + t.count * t.width, 0, (size_t)t.width * 4);
    }
    for (int64_t i = 0; i < even; i += 2) {
        narrow_across(b.scores + i * t.width, b.scores + (i + 1) * t.width, t.width, b.used_across + i * t.width);
        narrow_across(b.of_used + i * t.width, b.of_used + (i + 1) * t.width, t.width, b.of_scores_across + i * t.width);
    }
    for (int64_t i = 0; i < t.count; i++) narrow_line(b.of_used + i * t.width, t.width, b.of_scores + i * t.width);
    product(t.count, t.size, (t.seen + 1) / 2, b.of_scores, t.width / 2, 1, b.keys_across, t.depth, b.of_queries, t.size, 0);
    product(t.seen, t.size, even / 2, b.of_scores_across, 1, t.width, b.queries_across, TILE / 2, b.of_keys, t.size, 1);
    product(t.seen, t.size, even / 2, b.used_across, 1, t.width, b.upstream_across, TILE / 2, b.of_values, t.size, 1);
}

#endif
