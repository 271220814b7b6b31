/* Element-wise parts of a decoder layer, each in one pass over memory. Called through ctypes by passes.py.
 *
 * Leading dimensions ("_stride") count elements between tokens, so that a kernel reads from and writes to parts of larger
 * matrices. Threads come from OpenMP, the same pool that PyTorch uses. Nothing here allocates or keeps state.
 */
#include "numbers.h"

/* Columns that one thread sums at a time. */
#define COLUMNS 64

/* ── root-mean-square norm ─────────────────────────────────────────────────────────────────────────────────────────── */

/* total = x + added (x itself if added is NULL); inverse = 1 / rms(total); normed = weight · total · inverse. */
void norm_forward(const bf16 *x, const bf16 *added, int64_t added_stride, const bf16 *weight, int64_t tokens, int64_t size,
                  float epsilon, bf16 *total, bf16 *normed, float *inverse) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const bf16 *from = x + t * size;
        bf16 *out = normed + t * size;
        float squares = 0.0f;
        if (added) {
            const bf16 *more = added + t * added_stride;
            bf16 *sum = total + t * size;
#pragma omp simd reduction(+ : squares)
            for (int64_t i = 0; i < size; i++) {
                float value = rounded(wide(from[i]) + wide(more[i]));
                sum[i] = narrow(value);
                squares += value * value;
            }
            from = sum;
        } else {
#pragma omp simd reduction(+ : squares)
            for (int64_t i = 0; i < size; i++) squares += wide(from[i]) * wide(from[i]);
        }
        float scale = 1.0f / sqrtf(squares / (float)size + epsilon);
        inverse[t] = scale;
#pragma omp simd
        for (int64_t i = 0; i < size; i++) out[i] = narrow(rounded(wide(from[i]) * scale) * wide(weight[i]));
    }
}

/* normed, once more, from what the backward pass has kept. */
void norm_again(const bf16 *total, const bf16 *weight, const float *inverse, int64_t tokens, int64_t size, bf16 *normed) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float scale = inverse[t];
#pragma omp simd
        for (int64_t i = 0; i < size; i++)
            normed[t * size + i] = narrow(rounded(wide(total[t * size + i]) * scale) * wide(weight[i]));
    }
}

/* out = residual + gradient of the norm's input. */
void norm_backward(const bf16 *gradient, const bf16 *total, const bf16 *weight, const float *inverse, const bf16 *residual,
                   int64_t residual_stride, int64_t tokens, int64_t size, bf16 *out, int64_t out_stride) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const bf16 *g = gradient + t * size, *x = total + t * size, *r = residual + t * residual_stride;
        bf16 *to = out + t * out_stride;
        float scale = inverse[t], along = 0.0f;
#pragma omp simd reduction(+ : along)
        for (int64_t i = 0; i < size; i++) along += wide(g[i]) * wide(weight[i]) * wide(x[i]);
        along *= scale * scale / (float)size;
#pragma omp simd
        for (int64_t i = 0; i < size; i++)
            to[i] = narrow(wide(r[i]) + scale * (wide(g[i]) * wide(weight[i]) - wide(x[i]) * along));
    }
}

/* Column sums of gradient · total · inverse: the gradient of the norm's weight. */
void norm_weight_gradient(const bf16 *gradient, const bf16 *total, const float *inverse, int64_t tokens, int64_t size, float *out) {
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < size; begin += COLUMNS) {
        int64_t width = size - begin < COLUMNS ? size - begin : COLUMNS;
        float sums[COLUMNS] = {0};
        for (int64_t t = 0; t < tokens; t++) {
            const bf16 *g = gradient + t * size + begin, *x = total + t * size + begin;
            float scale = inverse[t];
#pragma omp simd
            for (int64_t i = 0; i < width; i++) sums[i] += wide(g[i]) * wide(x[i]) * scale;
        }
        memcpy(out + begin, sums, (size_t)width * 4);
    }
}

/* ── gate ──────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* product = activation(gate) · up; gate and up lie side by side in each token of `both`. */
void gate_forward(const bf16 *both, int64_t both_stride, int64_t tokens, int64_t size, int gelu_tanh, bf16 *product) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const bf16 *gate = both + t * both_stride, *up = gate + size;
        bf16 *out = product + t * size;
        if (gelu_tanh) {
            for (int64_t i = 0; i < size; i++) {
                float slope;
                out[i] = narrow(rounded(gelu_by_tanh(wide(gate[i]), &slope)) * wide(up[i]));
            }
        } else {
#pragma omp simd
            for (int64_t i = 0; i < size; i++) {
                float g = wide(gate[i]);
                out[i] = narrow(rounded(g * sigmoid(g)) * wide(up[i]));
            }
        }
    }
}

/* Gradients of gate and up, side by side in `of_both`, and the product once more. */
void gate_backward(const bf16 *both, int64_t both_stride, const bf16 *gradient, int64_t tokens, int64_t size, int gelu_tanh,
                   bf16 *of_both, int64_t of_stride, bf16 *product) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const bf16 *gate = both + t * both_stride, *up = gate + size, *d = gradient + t * size;
        bf16 *of_gate = of_both + t * of_stride, *of_up = of_gate + size, *out = product + t * size;
        if (gelu_tanh) {
            for (int64_t i = 0; i < size; i++) {
                float slope, active = gelu_by_tanh(wide(gate[i]), &slope), u = wide(up[i]), upstream = wide(d[i]);
                out[i] = narrow(rounded(active) * u);
                of_up[i] = narrow(upstream * active);
                of_gate[i] = narrow(upstream * u * slope);
            }
        } else {
#pragma omp simd
            for (int64_t i = 0; i < size; i++) {
                float g = wide(gate[i]), u = wide(up[i]), upstream = wide(d[i]);
                float s = sigmoid(g), active = g * s;
                out[i] = narrow(rounded(active) * u);
                of_up[i] = narrow(upstream * active);
                of_gate[i] = narrow(upstream * u * (s + active * (1.0f - s)));
            }
        }
    }
}

/* ── heads ─────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Queries, keys and values of flat tokens, rotated, to rows of equal width `longest`, by head; behind a row's end are zeros.
 * A token is [queries of all heads | keys | values]. Queries lie as (row, shared, longest · group, size), so that the heads that
 * share keys are more queries of one; keys and values as (row, shared, before + longest, size): those of the `before` tokens from
 * `beginning` on, which all rows continue, come first. cosine and sine: (tokens, size). */
void heads_forward(const bf16 *flat, int64_t flat_stride, const bf16 *cosine, const bf16 *sine, const int64_t *starts, int64_t rows,
                   int64_t longest, int64_t shared, int64_t group, int64_t size, int64_t beginning, int64_t before, bf16 *queries,
                   bf16 *keys, bf16 *values) {
    int64_t heads = shared * group, half = size / 2, width = before + longest;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t key = 0; key < width; key++) {
            int64_t place = key - before, t = place < 0 ? beginning + key : starts[row] + place;
            int inside = place < 0 || t < starts[row + 1];
            const bf16 *token = flat + t * flat_stride;
            for (int64_t h = place < 0 ? heads : 0; h < heads + 2 * shared; h++) {
                bf16 *to;
                if (h < heads)
                    to = queries + (((row * shared + h / group) * longest + place) * group + h % group) * size;
                else if (h < heads + shared)
                    to = keys + ((row * shared + h - heads) * width + key) * size;
                else
                    to = values + ((row * shared + h - heads - shared) * width + key) * size;
                if (!inside) {
                    memset(to, 0, (size_t)size * 2);
                } else if (h >= heads + shared) {
                    memcpy(to, token + h * size, (size_t)size * 2);
                } else {
                    const bf16 *from = token + h * size, *c = cosine + t * size, *s = sine + t * size;
#pragma omp simd
                    for (int64_t i = 0; i < half; i++) {
                        float a = wide(from[i]), b = wide(from[half + i]);
                        to[i] = narrow(a * wide(c[i]) - b * wide(s[i]));
                        to[half + i] = narrow(b * wide(c[half + i]) + a * wide(s[half + i]));
                    }
                }
            }
        }
}

/* The way back: gradients by head to flat tokens, rotated back; those of the beginning are left to the caller, who sums them. */
void heads_backward(const bf16 *queries, const bf16 *keys, const bf16 *values, const bf16 *cosine, const bf16 *sine,
                    const int64_t *starts, int64_t rows, int64_t longest, int64_t shared, int64_t group, int64_t size,
                    int64_t before, bf16 *flat, int64_t flat_stride) {
    int64_t heads = shared * group, half = size / 2, width = before + longest;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t place = 0; place < longest; place++) {
            int64_t t = starts[row] + place;
            if (t >= starts[row + 1]) continue;
            bf16 *token = flat + t * flat_stride;
            for (int64_t h = 0; h < heads + 2 * shared; h++) {
                bf16 *to = token + h * size;
                const bf16 *from;
                if (h < heads)
                    from = queries + (((row * shared + h / group) * longest + place) * group + h % group) * size;
                else if (h < heads + shared)
                    from = keys + ((row * shared + h - heads) * width + before + place) * size;
                else
                    from = values + ((row * shared + h - heads - shared) * width + before + place) * size;
                if (h >= heads + shared) {
                    memcpy(to, from, (size_t)size * 2);
                } else {
                    const bf16 *c = cosine + t * size, *s = sine + t * size;
#pragma omp simd
                    for (int64_t i = 0; i < half; i++) {
                        float a = wide(from[i]), b = wide(from[half + i]);
                        to[i] = narrow(a * wide(c[i]) + b * wide(s[half + i]));
                        to[half + i] = narrow(b * wide(c[half + i]) - a * wide(s[i]));
                    }
                }
            }
        }
}

/* What attention gave, laid out as queries are, to flat tokens (to_flat) or back; behind a row's end zeros are written by head. */
void mixed_heads(bf16 *by_head, bf16 *flat, int64_t flat_stride, const int64_t *starts, int64_t rows, int64_t longest, int64_t shared,
                 int64_t group, int64_t size, int to_flat) {
    size_t bytes = (size_t)(group * size) * 2;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t head = 0; head < shared; head++)
            for (int64_t place = 0; place < longest; place++) {
                int64_t t = starts[row] + place;
                bf16 *one = by_head + ((row * shared + head) * longest + place) * group * size;
                bf16 *other = flat + t * flat_stride + head * group * size;
                if (t >= starts[row + 1]) {
                    if (!to_flat) memset(one, 0, bytes);
                } else if (to_flat) {
                    memcpy(other, one, bytes);
                } else {
                    memcpy(one, other, bytes);
                }
            }
}

/* ── causal softmax ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Longest row of scores; callers keep to fewer (attention.LONGEST). */
#define MOST_KEYS 1024

/* Scores of the queries of places `from` … `to` - 1, laid out as (row, shared, (to - from) · group, before + to), in place to shares: a
 * query looks at the keys up to its own place, which `before` others precede; all else becomes 0. */
void shares_forward(bf16 *scores, const int64_t *starts, int64_t rows, int64_t shared, int64_t group, int64_t before, int64_t from,
                    int64_t to, float scale) {
    int64_t queries = (to - from) * group, width = before + to;
#pragma omp parallel for collapse(2) schedule(dynamic, 16)
    for (int64_t line = 0; line < rows * shared; line++)
        for (int64_t q = 0; q < queries; q++) {
            int64_t row = line / shared, length = starts[row + 1] - starts[row], place = from + q / group;
            bf16 *s = scores + (line * queries + q) * width;
            int64_t seen = place < length ? before + place + 1 : 0;
            float largest = -INFINITY, total = 0.0f;
#pragma omp simd reduction(max : largest)
            for (int64_t k = 0; k < seen; k++) {
                float value = wide(s[k]);
                largest = value > largest ? value : largest;
            }
            float held[MOST_KEYS];
#pragma omp simd reduction(+ : total)
            for (int64_t k = 0; k < seen; k++) {
                held[k] = exponential((wide(s[k]) - largest) * scale);
                total += held[k];
            }
            float share = 1.0f / total;
#pragma omp simd
            for (int64_t k = 0; k < seen; k++) s[k] = narrow(held[k] * share);
            memset(s + seen, 0, (size_t)(width - seen) * 2);
        }
}

/* Gradient of the scores from that of the shares, in place; laid out as in shares_forward. */
void shares_backward(const bf16 *shares, bf16 *gradient, const int64_t *starts, int64_t rows, int64_t shared, int64_t group,
                     int64_t before, int64_t from, int64_t to, float scale) {
    int64_t queries = (to - from) * group, width = before + to;
#pragma omp parallel for collapse(2) schedule(dynamic, 16)
    for (int64_t line = 0; line < rows * shared; line++)
        for (int64_t q = 0; q < queries; q++) {
            int64_t row = line / shared, length = starts[row + 1] - starts[row], place = from + q / group;
            const bf16 *p = shares + (line * queries + q) * width;
            bf16 *g = gradient + (line * queries + q) * width;
            int64_t seen = place < length ? before + place + 1 : 0;
            float along = 0.0f;
#pragma omp simd reduction(+ : along)
            for (int64_t k = 0; k < seen; k++) along += wide(p[k]) * wide(g[k]);
#pragma omp simd
            for (int64_t k = 0; k < seen; k++) g[k] = narrow(wide(p[k]) * (wide(g[k]) - along) * scale);
            memset(g + seen, 0, (size_t)(width - seen) * 2);
        }
}

/* ── cross-entropy ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* losses = log Σ exp(logits) − logit of the target; with `gradient` the logits are overwritten with softmax − one-hot. */
void cross_entropy(bf16 *logits, const int64_t *targets, int64_t tokens, int64_t classes, int gradient, float *losses) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        bf16 *l = logits + t * classes;
        float largest = -INFINITY, total = 0.0f, chosen = wide(l[targets[t]]);
#pragma omp simd reduction(max : largest)
        for (int64_t i = 0; i < classes; i++) {
            float value = wide(l[i]);
            largest = value > largest ? value : largest;
        }
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < classes; i++) total += exponential(wide(l[i]) - largest);
        losses[t] = logf(total) - (chosen - largest);
        if (!gradient) continue;
        float share = 1.0f / total;
#pragma omp simd
        for (int64_t i = 0; i < classes; i++) l[i] = narrow(exponential(wide(l[i]) - largest) * share);
        l[targets[t]] = narrow(exponential(chosen - largest) * share - 1.0f);
    }
}
