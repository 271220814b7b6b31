/* Attention of encoders with dropout, forward and backward, in tiles that stay in the cache. Called through ctypes by
 * encoder_attention.py.
 *
 * Rows of equally many tokens, padded behind; a token of `flat` is [queries of all heads | keys | values]. Every query looks at the keys of
 * its row that are no padding. Nothing but the result and one number a query is kept: the backward pass computes shares again, and asks
 * again what was dropped (Dao et al. 2022, arXiv:2205.14135).
 */
#include "tiles.h"

#if HAS_PAIRS

typedef struct {
    const bf16 *flat;
    int64_t stride;
    const int64_t *lengths;
    int64_t tokens, heads, size;
    float scale;
    Dropping dropping;
} Asked;

/* One head of one row: where its lines begin, how many keys count, in how many pairs and whole blocks, and its first line for dropout. */
typedef struct {
    const bf16 *queries, *keys, *values;
    int64_t row, head, seen, depth, width;
    uint64_t first_line;
} Head;

static Head head_of(const Asked *asked, int64_t row, int64_t head) {
    const bf16 *queries = asked->flat + row * asked->tokens * asked->stride + head * asked->size;
    const bf16 *keys = queries + asked->heads * asked->size;
    int64_t seen = asked->lengths[row];
    uint64_t line = (uint64_t)((row * asked->heads + head) * asked->tokens);
    return (Head){queries, keys, keys + asked->heads * asked->size, row, head, seen, (seen + 1) / 2, whole_blocks(seen), line};
}

static void lay_along(const bf16 *lines, int64_t stride, int64_t count, int64_t size, bf16 *packed) {
    const bf16 nothing[1024] = {0};
    for (int64_t place = 0; place < whole_blocks(count); place++)
        put_along(place < count ? lines + place * stride : nothing, place, size, packed);
}

/* ── forward ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    bf16 *keys, *values, *used;
    float *scores, *mixed;
    int64_t bytes;
} Forward;

static Forward forward_room(char *room, int64_t tokens, int64_t size) {
    Forward f;
    int64_t taken_bytes = 0, keys = whole_blocks(tokens), columns = whole_blocks(size);
    f.keys = taken(room, &taken_bytes, 2 * keys * size);
    f.values = taken(room, &taken_bytes, 2 * keys * columns);
    f.used = taken(room, &taken_bytes, 2 * TILE * keys);
    f.scores = taken(room, &taken_bytes, 4 * TILE * keys);
    f.mixed = taken(room, &taken_bytes, 4 * TILE * size);
    f.bytes = taken_bytes;
    return f;
}

static void attend(const Asked *asked, Head h, Forward f, bf16 *mixed, float *sums) {
    int64_t size = asked->size, whole = asked->heads * size;
    lay_along(h.keys, asked->stride, h.seen, size, f.keys);
    lay_across(h.values, asked->stride, h.seen, size, h.depth, f.values);
    for (int64_t first = 0; first < asked->tokens; first += TILE) {
        int64_t count = at_most(asked->tokens - first);
        product(count, h.seen, size / 2, h.queries + first * asked->stride, asked->stride / 2, 1, f.keys, size / 2, f.scores, h.width, 0);
        for (int64_t i = 0; i < count; i++) {
            uint64_t line = h.first_line + (uint64_t)(first + i);
            float *scores = f.scores + i * h.width;
            bf16 *used = f.used + i * h.width;
            Dropping d = asked->dropping;
            sums[line] = d.below ? shares_of(1, scores, h.seen, h.width, asked->scale, d, line_of(d.seed, line), used)
                                 : shares_of(0, scores, h.seen, h.width, asked->scale, d, 0, used);
        }
        product(count, size, h.depth, f.used, h.width / 2, 1, f.values, h.depth, f.mixed, size, 0);
        for (int64_t i = 0; i < count; i++)
            narrow_line(f.mixed + i * size, size, mixed + (h.row * asked->tokens + first + i) * whole + h.head * size);
    }
}

/* mixed: what attention gives, (rows · tokens, heads · size); sums: float32 (rows, heads, tokens), for the backward pass. 1 if memory is
 * short. */
int encoder_attention_forward(const bf16 *flat, int64_t stride, const int64_t *lengths, int64_t rows, int64_t tokens, int64_t heads,
                              int64_t size, float scale, uint64_t seed, uint32_t below, float kept_scale, bf16 *mixed, float *sums) {
    Asked asked = {flat, stride, lengths, tokens, heads, size, scale, {seed, below, kept_scale}};
    int failed = 0;
#pragma omp parallel
    {
        char *room = room_of(forward_room(NULL, tokens, size).bytes);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
        Forward f = forward_room(room, tokens, size);
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t head = 0; head < heads; head++)
                if (room) attend(&asked, head_of(&asked, row, head), f, mixed, sums);
        free(room);
    }
    return failed;
}

/* ── backward ──────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    const bf16 *mixed, *upstream;
    const float *sums;
    bf16 *of_flat;
} Flowing;

/* One tile of queries: the gradients of its queries, and what it adds to those of keys and values. */
static void tile_back(const Asked *asked, Head h, const Flowing *w, Backward b, int64_t first, int64_t count) {
    int64_t size = asked->size, whole = asked->heads * size, token = h.row * asked->tokens + first;
    const bf16 *mixed = w->mixed + token * whole + h.head * size, *upstream = w->upstream + token * whole + h.head * size;
    Tile tile = {h.queries + first * asked->stride, upstream, asked->stride, whole, count, size, h.seen, h.width, h.depth};
    tile_begins(tile, b);
    for (int64_t i = 0; i < count; i++) {
        uint64_t line = h.first_line + (uint64_t)(first + i);
        float *scores = b.scores + i * h.width, *of_used = b.of_used + i * h.width, sum = w->sums[line];
        float along = product_of_lines(mixed + i * whole, upstream + i * whole, size);
        Dropping d = asked->dropping;
        if (d.below)
            of_scores_of(1, scores, of_used, h.seen, h.width, asked->scale, d, line_of(d.seed, line), sum, along);
        else
            of_scores_of(0, scores, of_used, h.seen, h.width, asked->scale, d, 0, sum, along);
    }
    tile_ends(tile, b);
    for (int64_t i = 0; i < count; i++)
        narrow_line(b.of_queries + i * size, size, w->of_flat + (token + i) * 3 * whole + h.head * size);
}

static void attend_back(const Asked *asked, Head h, const Flowing *w, Backward b) {
    int64_t size = asked->size, whole = asked->heads * size;
    lay_along(h.keys, asked->stride, h.seen, size, b.keys);
    lay_along(h.values, asked->stride, h.seen, size, b.values);
    lay_across(h.keys, asked->stride, h.seen, size, h.depth, b.keys_across);
    memset(b.of_keys, 0, (size_t)(4 * h.seen * size));
    memset(b.of_values, 0, (size_t)(4 * h.seen * size));
    for (int64_t first = 0; first < asked->tokens; first += TILE) tile_back(asked, h, w, b, first, at_most(asked->tokens - first));
    for (int64_t place = 0; place < asked->tokens; place++) {
        bf16 *keys = w->of_flat + (h.row * asked->tokens + place) * 3 * whole + whole + h.head * size, *values = keys + whole;
        if (place < h.seen) {
            narrow_line(b.of_keys + place * size, size, keys);
            narrow_line(b.of_values + place * size, size, values);
        } else {
            memset(keys, 0, (size_t)size * 2);
            memset(values, 0, (size_t)size * 2);
        }
    }
}

/* Gradients of queries, keys and values into `of_flat`, which has no columns beside them. 1 if memory is short. */
int encoder_attention_backward(const bf16 *flat, int64_t stride, const int64_t *lengths, int64_t rows, int64_t tokens, int64_t heads,
                               int64_t size, float scale, uint64_t seed, uint32_t below, float kept_scale, const bf16 *mixed,
                               const float *sums, const bf16 *upstream, bf16 *of_flat) {
    Asked asked = {flat, stride, lengths, tokens, heads, size, scale, {seed, below, kept_scale}};
    Flowing w = {mixed, upstream, sums, of_flat};
    int failed = 0;
#pragma omp parallel
    {
        char *room = room_of(backward_room(NULL, tokens, size).bytes);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
        Backward b = backward_room(room, tokens, size);
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t head = 0; head < heads; head++)
                if (room) attend_back(&asked, head_of(&asked, row, head), &w, b);
        free(room);
    }
    return failed;
}

#endif
