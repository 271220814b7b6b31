/* Causal attention of flat rows, forward and backward, in tiles that stay in the cache. Called through ctypes by row_attention.py.
 *
 * A token of `flat` is [queries of all heads | keys | values]. A segment is four numbers: its first token, its tokens, and first token and
 * tokens of a beginning that it continues (none: 0 tokens). Queries look at the beginning and at their own segment up to their own place.
 * Nothing but the result and one number a query is kept: the backward pass computes shares again (Dao et al. 2022, arXiv:2205.14135).
 * Products are of pairs of bf16 summed in float32, an instruction that not every processor has: multiplies_pairs() says whether this one does.
 */
#include "tiles.h"

/* Whether the kernels of this file and of low_rank.c are there. */
int multiplies_pairs(void) { return HAS_PAIRS; }

#if HAS_PAIRS

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

/* ── how numbers are laid out for products ─────────────────────────────────────────────────────────────────────────────── */

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
    for (int64_t place = width; place < whole_blocks(width); place++) {
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
    return whole_blocks(most);
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

static void attend(const Asked *asked, Segment s, int64_t head, Forward f, bf16 *mixed, int64_t mixed_stride, float *sums) {
    int64_t size = asked->size, group = asked->group, heads = asked->shared * group, width = s.before + s.tokens;
    int64_t depth = (width + 1) / 2;
    lay_out_keys(asked, s, head, depth, f.keys, NULL, NULL, f.values, f.lines);
    for (int64_t first = 0; first < s.tokens * group; first += TILE) {
        int64_t count = at_most(s.tokens * group - first);
        int64_t seen = s.before + (first + count - 1) / group + 1, keys = whole_blocks(seen);
        lay_out_queries(asked, s, head, first, count, f.queries);
        product(count, seen, size / 2, f.queries, size / 2, 1, f.keys, size / 2, f.scores, keys, 0);
        for (int64_t i = 0; i < count; i++) {
            int64_t place = (first + i) / group, t = s.start + place, h = head * group + (first + i) % group;
            float *line = f.scores + i * keys;
            sums[t * heads + h] = shares_of(0, line, s.before + place + 1, keys, asked->scale, (Dropping){0}, 0, f.shares + i * keys);
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
    const bf16 *mixed, *upstream;
    const float *sums;
    bf16 *of_flat;
    int64_t mixed_stride, upstream_stride, of_stride;
} Flowing;

/* One tile of queries: the gradients of its queries, and what it adds to those of keys and values. */
static void tile_back(const Asked *asked, Segment s, int64_t head, const Flowing *w, Backward b, int64_t first, int64_t count,
                      int64_t depth) {
    int64_t size = asked->size, group = asked->group, heads = asked->shared * group;
    int64_t seen = s.before + (first + count - 1) / group + 1, keys = whole_blocks(seen);
    lay_out_queries(asked, s, head, first, count, b.queries);
    for (int64_t i = 0; i < count; i++) {
        int64_t t = s.start + (first + i) / group, h = head * group + (first + i) % group;
        memcpy(b.upstream + i * size, w->upstream + t * w->upstream_stride + h * size, (size_t)size * 2);
    }
    Tile tile = {b.queries, b.upstream, size, size, count, size, seen, keys, depth};
    tile_begins(tile, b);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = (first + i) / group, t = s.start + place, h = head * group + (first + i) % group;
        float along = product_of_lines(w->mixed + t * w->mixed_stride + h * size, b.upstream + i * size, size);
        of_scores_of(0, b.scores + i * keys, b.of_used + i * keys, s.before + place + 1, keys, asked->scale, (Dropping){0}, 0,
                     w->sums[t * heads + h], along);
    }
    tile_ends(tile, b);
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
        tile_back(asked, s, head, w, b, first, at_most(s.tokens * group - first), depth);
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
