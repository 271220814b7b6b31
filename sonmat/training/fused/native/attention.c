/* Causal attention of flat rows, forward and backward, in tiles that stay in the cache. Called through ctypes by row_attention.py.
 *
 * A token of `flat` is [queries of all heads | keys | values]. A segment is four numbers: its first token, its tokens, and first token and
 * tokens of a beginning that it continues (none: 0 tokens). Queries look at the beginning and at their own segment up to their own place.
 * Nothing but the result and one number a query is kept: the backward pass computes shares again (Dao et al. 2022, arXiv:2205.14135).
 * Products are of pairs of bf16 summed in float32, an instruction that not every processor has: multiplies_pairs() says whether this one does.
 */
#include <stdlib.h>

#include "vectors.h"

/* Whether the kernels of this file and of low_rank.c are there. */
int multiplies_pairs(void) { return HAS_PAIRS; }

#if HAS_PAIRS

/* Columns that one product writes at a time: four vectors of 16. */
#define BLOCK 64
/* Rows of a product held in registers. */
#define ROWS 6
/* Queries taken at a time; those of all heads that share keys count. */
#define TILE 48

typedef struct {
    const bf16 *flat;
    int64_t stride;
    const bf16 *cosine, *sine;
    const int64_t *segments;
    int64_t shared, group, size;
    float scale;
} Asked;

typedef struct {
    int64_t start, tokens, beginning, before;
} Segment;

static inline Segment segment_of(const Asked *asked, int64_t number) {
    const int64_t *told = asked->segments + 4 * number;
    return (Segment){told[0], told[1], told[2], told[3]};
}

static inline int64_t blocks_of(int64_t columns) { return (columns + BLOCK - 1) / BLOCK; }

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

/* c (+)= a · b for `rows` ≤ ROWS rows and `vectors` ≤ 4 times 16 columns of a block. Numbers that are multiplied with one another and summed lie in pairs: pair
 * p of row r of `a` at a[r · row + p · pair], those of b as (pair, BLOCK). */
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

/* Rotary positions (Su et al. 2021), in halves as Llama has it. */
static inline void turned(const bf16 *from, const bf16 *c, const bf16 *s, int64_t size, bf16 *to) {
    int64_t half = size / 2;
    for (int64_t i = 0; i < half; i += LANES) {
        __m512 x = wide_vector(from + i), y = wide_vector(from + half + i);
        narrow_vector(_mm512_fnmadd_ps(y, wide_vector(s + i), _mm512_mul_ps(x, wide_vector(c + i))), to + i);
        narrow_vector(_mm512_fmadd_ps(x, wide_vector(s + half + i), _mm512_mul_ps(y, wide_vector(c + half + i))), to + half + i);
    }
}

/* The gradient of `turned`. */
static inline void turned_back(const float *from, const bf16 *c, const bf16 *s, int64_t size, bf16 *to) {
    int64_t half = size / 2;
    for (int64_t i = 0; i < half; i += LANES) {
        __m512 x = _mm512_loadu_ps(from + i), y = _mm512_loadu_ps(from + half + i);
        narrow_vector(_mm512_fmadd_ps(y, wide_vector(s + half + i), _mm512_mul_ps(x, wide_vector(c + i))), to + i);
        narrow_vector(_mm512_fnmadd_ps(x, wide_vector(s + i), _mm512_mul_ps(y, wide_vector(c + half + i))), to + half + i);
    }
}

/* Token that stands at `place` of what a segment's queries look at. */
static inline int64_t token_at(Segment s, int64_t place) {
    return place < s.before ? s.beginning + place : s.start + place - s.before;
}

/* Keys, and values if `values` is there, of one head that shares them: along (keys, and values too if `values_along`), and keys across. */
static void lay_out_keys(const Asked *asked, Segment s, int64_t head, int64_t depth, bf16 *keys_along, bf16 *keys_across,
                         bf16 *values_along, bf16 *values_across, bf16 *lines) {
    int64_t size = asked->size, heads = asked->shared * asked->group, width = s.before + s.tokens;
    const bf16 nothing[1024] = {0};
    for (int64_t place = 0; place < width; place += 2) {
        const bf16 *value[2] = {nothing, nothing}, *key[2] = {nothing, nothing};
        for (int64_t i = 0; i < 2 && place + i < width; i++) {
            int64_t t = token_at(s, place + i);
            const bf16 *token = asked->flat + t * asked->stride;
            turned(token + (heads + head) * size, asked->cosine + t * size, asked->sine + t * size, size, lines + i * size);
            key[i] = lines + i * size;
            value[i] = token + (heads + asked->shared + head) * size;
            put_along(key[i], place + i, size, keys_along);
            if (values_along) put_along(value[i], place + i, size, values_along);
        }
        if (keys_across) put_across(key[0], key[1], place / 2, size, depth, keys_across);
        if (values_across) put_across(value[0], value[1], place / 2, size, depth, values_across);
    }
    for (int64_t place = width; place < blocks_of(width) * BLOCK; place++) {
        put_along(nothing, place, size, keys_along);
        if (values_along) put_along(nothing, place, size, values_along);
    }
}

/* Queries `first` … `first + count - 1` of one shared head, the heads of a place one behind another. */
static inline void lay_out_queries(const Asked *asked, Segment s, int64_t head, int64_t first, int64_t count, bf16 *lines) {
    int64_t size = asked->size, group = asked->group;
    for (int64_t i = 0; i < count; i++) {
        int64_t t = s.start + (first + i) / group, h = head * group + (first + i) % group;
        turned(asked->flat + t * asked->stride + h * size, asked->cosine + t * size, asked->sine + t * size, size, lines + i * size);
    }
}

/* ── room to work in ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t most_keys(const Asked *asked, int64_t count) {
    int64_t most = 0;
    for (int64_t number = 0; number < count; number++) {
        Segment s = segment_of(asked, number);
        most = s.before + s.tokens > most ? s.before + s.tokens : most;
    }
    return blocks_of(most) * BLOCK;
}

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

/* ── forward ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    bf16 *keys, *values, *lines, *queries, *shares;
    float *scores, *mixed;
    int64_t bytes;
} Forward;

static Forward forward_room(char *room, int64_t keys, int64_t size) {
    Forward f;
    int64_t used = 0;
    f.keys = taken(room, &used, 2 * keys * size);
    f.values = taken(room, &used, 2 * keys * size);
    f.lines = taken(room, &used, 4 * size);
    f.queries = taken(room, &used, 2 * TILE * size);
    f.shares = taken(room, &used, 2 * TILE * keys);
    f.scores = taken(room, &used, 4 * TILE * keys);
    f.mixed = taken(room, &used, 4 * TILE * size);
    f.bytes = used;
    return f;
}

/* Shares of `seen` keys from their scores, 0 behind them up to `width`; the logarithm of the sum that they were divided by. */
static inline float shares_of(float *scores, int64_t seen, int64_t width, float scale, bf16 *shares) {
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
    for (; k < seen; k += LANES) narrow_vector(_mm512_mul_ps(_mm512_loadu_ps(scores + k), _mm512_set1_ps(1.0f / total)), shares + k);
    if (k < width) memset(shares + k, 0, (size_t)(width - k) * 2);
    return largest * scale + logf(total);
}

static void attend(const Asked *asked, Segment s, int64_t head, Forward f, bf16 *mixed, int64_t mixed_stride, float *sums) {
    int64_t size = asked->size, group = asked->group, heads = asked->shared * group, width = s.before + s.tokens;
    int64_t depth = (width + 1) / 2;
    lay_out_keys(asked, s, head, depth, f.keys, NULL, NULL, f.values, f.lines);
    for (int64_t first = 0; first < s.tokens * group; first += TILE) {
        int64_t count = s.tokens * group - first < TILE ? s.tokens * group - first : TILE;
        int64_t seen = s.before + (first + count - 1) / group + 1, keys = blocks_of(seen) * BLOCK;
        lay_out_queries(asked, s, head, first, count, f.queries);
        product(count, seen, size / 2, f.queries, size / 2, 1, f.keys, size / 2, f.scores, keys, 0);
        for (int64_t i = 0; i < count; i++) {
            int64_t place = (first + i) / group, t = s.start + place, h = head * group + (first + i) % group;
            float *line = f.scores + i * keys;
            sums[t * heads + h] = shares_of(line, s.before + place + 1, keys, asked->scale, f.shares + i * keys);
        }
        product(count, size, (seen + 1) / 2, f.shares, keys / 2, 1, f.values, depth, f.mixed, size, 0);
        for (int64_t i = 0; i < count; i++) {
            int64_t t = s.start + (first + i) / group, h = head * group + (first + i) % group;
            narrow_line(f.mixed + i * size, size, mixed + t * mixed_stride + h * size);
        }
    }
}

/* mixed: what attention gives each head of a token; sums: float32 (tokens, heads), for the backward pass. 1 if memory is short. */
int attention_forward(const bf16 *flat, int64_t stride, const bf16 *cosine, const bf16 *sine, const int64_t *segments, int64_t count,
                      int64_t shared, int64_t group, int64_t size, float scale, bf16 *mixed, int64_t mixed_stride, float *sums) {
    Asked asked = {flat, stride, cosine, sine, segments, shared, group, size, scale};
    int64_t keys = most_keys(&asked, count);
    int failed = 0;
#pragma omp parallel
    {
        char *room = room_of(forward_room(NULL, keys, size).bytes);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
        Forward f = forward_room(room, keys, size);
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (int64_t number = 0; number < count; number++)
            for (int64_t head = 0; head < shared; head++)
                if (room) attend(&asked, segment_of(&asked, number), head, f, mixed, mixed_stride, sums);
        free(room);
    }
    return failed;
}

/* ── backward ──────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    bf16 *keys, *values, *keys_across, *lines, *queries, *upstream, *queries_across, *upstream_across, *of_scores,
        *of_scores_across, *shares_across;
    float *scores, *of_shares, *of_queries, *of_keys, *of_values;
    int64_t bytes;
} Backward;

static Backward backward_room(char *room, int64_t keys, int64_t size) {
    Backward b;
    int64_t used = 0;
    b.keys = taken(room, &used, 2 * keys * size);
    b.values = taken(room, &used, 2 * keys * size);
    b.keys_across = taken(room, &used, 2 * keys * size);
    b.lines = taken(room, &used, 4 * size);
    b.queries = taken(room, &used, 2 * TILE * size);
    b.upstream = taken(room, &used, 2 * TILE * size);
    b.queries_across = taken(room, &used, 2 * TILE * size);
    b.upstream_across = taken(room, &used, 2 * TILE * size);
    b.of_scores = taken(room, &used, 2 * TILE * keys);
    b.of_scores_across = taken(room, &used, 2 * TILE * keys);
    b.shares_across = taken(room, &used, 2 * TILE * keys);
    b.scores = taken(room, &used, 4 * TILE * keys);
    b.of_shares = taken(room, &used, 4 * TILE * keys);
    b.of_queries = taken(room, &used, 4 * TILE * size);
    b.of_keys = taken(room, &used, 4 * keys * size);
    b.of_values = taken(room, &used, 4 * keys * size);
    b.bytes = used;
    return b;
}

typedef struct {
    const bf16 *mixed, *upstream;
    const float *sums;
    bf16 *of_flat;
    int64_t mixed_stride, upstream_stride, of_stride;
} Flowing;

/* Shares into `scores`, gradients of the scores into `of_shares`, both 0 behind the `seen` keys up to `width`. */
static inline void of_scores_of(float *scores, float *of_shares, int64_t seen, int64_t width, float scale, float sum, float along) {
    int64_t k = 0;
    for (; k < seen; k += LANES) {
        __m512 below = _mm512_fmsub_ps(_mm512_loadu_ps(scores + k), _mm512_set1_ps(scale), _mm512_set1_ps(sum));
        __m512 share = _mm512_maskz_mov_ps(lanes_before(seen, k), exponentials(below));
        __m512 apart = _mm512_sub_ps(_mm512_loadu_ps(of_shares + k), _mm512_set1_ps(along));
        __m512 flow = _mm512_mul_ps(_mm512_mul_ps(share, apart), _mm512_set1_ps(scale));
        _mm512_storeu_ps(scores + k, share);
        _mm512_storeu_ps(of_shares + k, _mm512_maskz_mov_ps(lanes_before(seen, k), flow));
    }
    if (k < width) {
        memset(scores + k, 0, (size_t)(width - k) * 4);
        memset(of_shares + k, 0, (size_t)(width - k) * 4);
    }
}

/* Two lines of float32 side by side, as (key, line). */
static inline void narrow_across(const float *even, const float *odd, int64_t width, bf16 *to) {
    for (int64_t k = 0; k < width; k += LANES) {
        __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(even + k)));
        __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(odd + k)));
        _mm512_storeu_si512(to + 2 * k, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

/* One tile of queries: the gradients of its queries, and what it adds to those of keys and values. */
static void tile_back(const Asked *asked, Segment s, int64_t head, const Flowing *w, Backward b, int64_t first, int64_t count,
                      int64_t depth) {
    int64_t size = asked->size, group = asked->group, heads = asked->shared * group;
    int64_t seen = s.before + (first + count - 1) / group + 1, keys = blocks_of(seen) * BLOCK;
    int64_t even = count + count % 2;
    bf16 *upstream = b.upstream;
    lay_out_queries(asked, s, head, first, count, b.queries);
    for (int64_t i = 0; i < count; i++) {
        int64_t t = s.start + (first + i) / group, h = head * group + (first + i) % group;
        memcpy(upstream + i * size, w->upstream + t * w->upstream_stride + h * size, (size_t)size * 2);
    }
    if (even > count) {
        memset(b.queries + count * size, 0, (size_t)size * 2);
        memset(upstream + count * size, 0, (size_t)size * 2);
        memset(b.scores + count * keys, 0, (size_t)keys * 4);
        memset(b.of_shares + count * keys, 0, (size_t)keys * 4);
    }
    for (int64_t i = 0; i < even; i += 2) {
        put_across(b.queries + i * size, b.queries + (i + 1) * size, i / 2, size, TILE / 2, b.queries_across);
        put_across(upstream + i * size, upstream + (i + 1) * size, i / 2, size, TILE / 2, b.upstream_across);
    }
    product(count, seen, size / 2, b.queries, size / 2, 1, b.keys, size / 2, b.scores, keys, 0);
    product(count, seen, size / 2, upstream, size / 2, 1, b.values, size / 2, b.of_shares, keys, 0);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = (first + i) / group, t = s.start + place, h = head * group + (first + i) % group;
        const bf16 *gave = w->mixed + t * w->mixed_stride + h * size, *got = upstream + i * size;
        float along = 0.0f;
#pragma omp simd reduction(+ : along)
        for (int64_t d = 0; d < size; d++) along += wide(gave[d]) * wide(got[d]);
        of_scores_of(b.scores + i * keys, b.of_shares + i * keys, s.before + place + 1, keys, asked->scale, w->sums[t * heads + h],
                     along);
    }
    for (int64_t i = 0; i < even; i += 2) {
        narrow_across(b.scores + i * keys, b.scores + (i + 1) * keys, keys, b.shares_across + i * keys);
        narrow_across(b.of_shares + i * keys, b.of_shares + (i + 1) * keys, keys, b.of_scores_across + i * keys);
    }
    for (int64_t i = 0; i < count; i++) narrow_line(b.of_shares + i * keys, keys, b.of_scores + i * keys);
    product(count, size, (seen + 1) / 2, b.of_scores, keys / 2, 1, b.keys_across, depth, b.of_queries, size, 0);
    product(seen, size, even / 2, b.of_scores_across, 1, keys, b.queries_across, TILE / 2, b.of_keys, size, 1);
    product(seen, size, even / 2, b.shares_across, 1, keys, b.upstream_across, TILE / 2, b.of_values, size, 1);
    for (int64_t i = 0; i < count; i++) {
        int64_t t = s.start + (first + i) / group, h = head * group + (first + i) % group;
        turned_back(b.of_queries + i * size, asked->cosine + t * size, asked->sine + t * size, size,
                    w->of_flat + t * w->of_stride + h * size);
    }
}

/* Room for what flows back to the beginning of segment `number`: float32 (shared head, of keys or values, token, size). */
static inline float *left_of(const Asked *asked, const int64_t *at, float *left, int64_t number, int64_t head) {
    return left + at[number] + head * 2 * segment_of(asked, number).before * asked->size;
}

static void attend_back(const Asked *asked, int64_t number, int64_t count, int64_t head, const Flowing *w, Backward b,
                        const int64_t *at, float *left) {
    Segment s = segment_of(asked, number);
    int64_t size = asked->size, group = asked->group, heads = asked->shared * group, width = s.before + s.tokens;
    int64_t depth = (width + 1) / 2, bytes = 4 * s.before * size;
    lay_out_keys(asked, s, head, depth, b.keys, b.keys_across, b.values, NULL, b.lines);
    memset(b.of_keys, 0, (size_t)(4 * width * size));
    memset(b.of_values, 0, (size_t)(4 * width * size));
    for (int64_t first = 0; first < s.tokens * group; first += TILE)
        tile_back(asked, s, head, w, b, first, s.tokens * group - first < TILE ? s.tokens * group - first : TILE, depth);
    if (s.before) {
        float *mine = left_of(asked, at, left, number, head);
        memcpy(mine, b.of_keys, (size_t)bytes);
        memcpy(mine + s.before * size, b.of_values, (size_t)bytes);
    } else {
        for (int64_t other = 0; other < count; other++) {
            Segment o = segment_of(asked, other);
            if (!o.before || o.beginning != s.start) continue;
            const float *theirs = left_of(asked, at, left, other, head);
            for (int64_t i = 0; i < o.before * size; i++) {
                b.of_keys[i] += theirs[i];
                b.of_values[i] += theirs[o.before * size + i];
            }
        }
    }
    for (int64_t place = 0; place < s.tokens; place++) {
        int64_t t = s.start + place, line = (s.before + place) * size;
        bf16 *token = w->of_flat + t * w->of_stride + (heads + head) * size;
        turned_back(b.of_keys + line, asked->cosine + t * size, asked->sine + t * size, size, token);
        narrow_line(b.of_values + line, size, token + asked->shared * size);
    }
}

/* Gradients of queries, keys and values into the first columns of `of_flat`. 1 if memory is short. */
int attention_backward(const bf16 *flat, int64_t stride, const bf16 *cosine, const bf16 *sine, const int64_t *segments, int64_t count,
                       int64_t shared, int64_t group, int64_t size, float scale, const bf16 *mixed, int64_t mixed_stride,
                       const float *sums, const bf16 *upstream, int64_t upstream_stride, bf16 *of_flat, int64_t of_stride) {
    Asked asked = {flat, stride, cosine, sine, segments, shared, group, size, scale};
    Flowing w = {mixed, upstream, sums, of_flat, mixed_stride, upstream_stride, of_stride};
    int64_t keys = most_keys(&asked, count), inherited = 0;
    int64_t *at = malloc((size_t)count * 8 + 8);
    if (!at) return 1;
    for (int64_t number = 0; number < count; number++) {
        at[number] = inherited;
        inherited += shared * 2 * segment_of(&asked, number).before * size;
    }
    float *left = malloc((size_t)inherited * 4 + 4);
    int failed = left == NULL;
#pragma omp parallel
    {
        char *room = failed ? NULL : room_of(backward_room(NULL, keys, size).bytes);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
        Backward b = backward_room(room, keys, size);
        /* Beginnings come behind the rows that continue them. */
        for (int inheriting = 1; inheriting >= 0; inheriting--) {
#pragma omp for collapse(2) schedule(dynamic, 1)
            for (int64_t number = 0; number < count; number++)
                for (int64_t head = 0; head < shared; head++)
                    if (room && (segment_of(&asked, number).before > 0) == inheriting)
                        attend_back(&asked, number, count, head, &w, b, at, left);
        }
        free(room);
    }
    free(left);
    free(at);
    return failed;
}

#endif
