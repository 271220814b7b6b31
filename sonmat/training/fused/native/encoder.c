/* Element-wise parts of an encoder layer with dropout, each in one pass over memory. Called through ctypes by encoder_passes.py.
 *
 * What dropout drops is a function of (seed, line, column), so that a backward pass asks again instead of remembering. Sums over
 * tokens are taken block by block, always the same blocks: results do not depend on the number of threads.
 */
#include "dropout.h"

/* ── softmax ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Longest row of scores; callers keep to fewer (encoder_passes.MOST_KEYS). */
#define MOST_KEYS 2048

/* Scores of lines (a line is a query of a head of a row) to shares, in place: softmax of scale · score + added. `added` may be NULL
 * and is found by row and query; `used`, if not NULL, is what dropout leaves of the shares. */
void softmax_forward(bf16 *scores, const bf16 *added, int64_t added_row, int64_t added_query, int64_t rows, int64_t heads,
                     int64_t queries, int64_t keys, float scale, uint64_t seed, uint32_t below, float kept_scale, bf16 *used) {
#pragma omp parallel for schedule(static)
    for (int64_t line = 0; line < rows * heads * queries; line++) {
        bf16 *s = scores + line * keys;
        const bf16 *a = added ? added + line / (heads * queries) * added_row + line % queries * added_query : 0;
        float held[MOST_KEYS], largest = -INFINITY, total = 0.0f;
        if (a) {
#pragma omp simd reduction(max : largest)
            for (int64_t k = 0; k < keys; k++) {
                held[k] = wide(s[k]) * scale + wide(a[k]);
                largest = held[k] > largest ? held[k] : largest;
            }
        } else {
#pragma omp simd reduction(max : largest)
            for (int64_t k = 0; k < keys; k++) {
                held[k] = wide(s[k]) * scale;
                largest = held[k] > largest ? held[k] : largest;
            }
        }
#pragma omp simd reduction(+ : total)
        for (int64_t k = 0; k < keys; k++) {
            float away = held[k] - largest;
            /* Nothing, not nearly nothing: products are slow with the least numbers there are. NaN stays NaN. */
            held[k] = away < -80.0f ? 0.0f : exponential(away);
            total += held[k];
        }
        float share = 1.0f / total;
        if (used) {
            bf16 *u = used + line * keys;
            uint64_t drawn = line_of(seed, (uint64_t)line);
#pragma omp simd
            for (int64_t k = 0; k < keys; k++) {
                float value = rounded(held[k] * share);
                s[k] = narrow(value);
                u[k] = narrow(value * stays(drawn, k, below, kept_scale));
            }
        } else {
#pragma omp simd
            for (int64_t k = 0; k < keys; k++) s[k] = narrow(held[k] * share);
        }
    }
}

/* Gradient of the scores, in place of that of what was used. */
void softmax_backward(const bf16 *shares, bf16 *gradient, int64_t lines, int64_t keys, float scale, uint64_t seed, uint32_t below,
                      float kept_scale) {
#pragma omp parallel for schedule(static)
    for (int64_t line = 0; line < lines; line++) {
        const bf16 *p = shares + line * keys;
        bf16 *g = gradient + line * keys;
        float held[MOST_KEYS], along = 0.0f;
        if (below) {
            uint64_t drawn = line_of(seed, (uint64_t)line);
#pragma omp simd reduction(+ : along)
            for (int64_t k = 0; k < keys; k++) {
                held[k] = wide(g[k]) * stays(drawn, k, below, kept_scale);
                along += wide(p[k]) * held[k];
            }
        } else {
#pragma omp simd reduction(+ : along)
            for (int64_t k = 0; k < keys; k++) {
                held[k] = wide(g[k]);
                along += wide(p[k]) * held[k];
            }
        }
#pragma omp simd
        for (int64_t k = 0; k < keys; k++) g[k] = narrow(wide(p[k]) * (held[k] - along) * scale);
    }
}

/* ── layer norm of a sum ───────────────────────────────────────────────────────────────────────────────────────────── */

/* sum = dropout(x) + beside, in place of x; normed = (sum - mean) · inverse · weight + bias. */
void normed_sum_forward(bf16 *x, const bf16 *beside, const float *weight, const float *bias, int64_t tokens, int64_t size,
                        float epsilon, uint64_t seed, uint32_t below, float kept_scale, bf16 *normed, float *mean, float *inverse) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        bf16 *sum = x + t * size, *out = normed + t * size;
        const bf16 *more = beside + t * size;
        float total = 0.0f, squares = 0.0f;
        if (below) {
            uint64_t drawn = line_of(seed, (uint64_t)t);
#pragma omp simd reduction(+ : total)
            for (int64_t i = 0; i < size; i++) {
                float value = rounded(wide(sum[i]) * stays(drawn, i, below, kept_scale) + wide(more[i]));
                sum[i] = narrow(value);
                total += value;
            }
        } else {
#pragma omp simd reduction(+ : total)
            for (int64_t i = 0; i < size; i++) {
                float value = rounded(wide(sum[i]) + wide(more[i]));
                sum[i] = narrow(value);
                total += value;
            }
        }
        float middle = total / (float)size;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < size; i++) squares += (wide(sum[i]) - middle) * (wide(sum[i]) - middle);
        float scale = 1.0f / sqrtf(squares / (float)size + epsilon);
        mean[t] = middle;
        inverse[t] = scale;
#pragma omp simd
        for (int64_t i = 0; i < size; i++) out[i] = narrow((wide(sum[i]) - middle) * scale * weight[i] + bias[i]);
    }
}

/* of_sum: the gradient of the sum, which is beside's too; of_x: what dropout leaves of it. sums: for each block of tokens, shape
 * (blocks, 3, size), the sums over its tokens of gradient · normed, of gradient and of of_x. */
void normed_sum_backward(const bf16 *gradient, const bf16 *sum, const float *weight, const float *mean, const float *inverse,
                         int64_t tokens, int64_t size, int64_t block, uint64_t seed, uint32_t below, float kept_scale, bf16 *of_sum,
                         bf16 *of_x, float *sums) {
    int64_t blocks = (tokens + block - 1) / block;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        float *of_weight = sums + b * 3 * size, *of_bias = of_weight + size, *through = of_bias + size;
        memset(of_weight, 0, (size_t)(3 * size) * 4);
        for (int64_t t = b * block; t < tokens && t < (b + 1) * block; t++) {
            const bf16 *g = gradient + t * size, *x = sum + t * size;
            bf16 *to = of_sum + t * size, *more = of_x + t * size;
            float middle = mean[t], scale = inverse[t], along = 0.0f, total = 0.0f;
#pragma omp simd reduction(+ : along, total)
            for (int64_t i = 0; i < size; i++) {
                float upstream = wide(g[i]) * weight[i];
                total += upstream;
                along += upstream * (wide(x[i]) - middle);
            }
            total /= (float)size;
            along *= scale * scale / (float)size;
            uint64_t drawn = line_of(seed, (uint64_t)t);
#pragma omp simd
            for (int64_t i = 0; i < size; i++) {
                float away = wide(x[i]) - middle, own = wide(g[i]);
                float value = rounded((own * weight[i] - total - away * along) * scale);
                to[i] = narrow(value);
                float left = below ? rounded(value * stays(drawn, i, below, kept_scale)) : value;
                more[i] = narrow(left);
                of_weight[i] += own * away * scale;
                of_bias[i] += own;
                through[i] += left;
            }
        }
    }
}

/* ── sums ──────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Of columns over tokens, for each block of tokens, shape (blocks, size). */
void column_sums(const bf16 *x, int64_t tokens, int64_t size, int64_t block, float *sums) {
    int64_t blocks = (tokens + block - 1) / block;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        float *own = sums + b * size;
        memset(own, 0, (size_t)size * 4);
        for (int64_t t = b * block; t < tokens && t < (b + 1) * block; t++) {
            const bf16 *line = x + t * size;
#pragma omp simd
            for (int64_t i = 0; i < size; i++) own[i] += wide(line[i]);
        }
    }
}

/* ── GELU ──────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* x · Φ(x) and its derivative; Φ by Abramowitz and Stegun's formula 7.1.26, right to 1.5e-7. */
static inline float gelu_by_error_function(float x, float *slope) {
    float z = fabsf(x) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * z), bell = exponential(-z * z);
    float tail = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * bell;
    float below = x < 0.0f ? 0.5f * tail : 1.0f - 0.5f * tail;
    *slope = below + x * 0.39894228f * bell;
    return x * below;
}

/* Inlined with `by_tanh` as a constant, so that each form is a loop of its own that becomes vectors. */
static inline __attribute__((always_inline)) float gelu(float x, int by_tanh, float *slope) {
    return by_tanh ? gelu_by_tanh(x, slope) : gelu_by_error_function(x, slope);
}

static inline __attribute__((always_inline)) void gelu_line(const bf16 *x, int64_t size, int by_tanh, bf16 *out) {
#pragma omp simd
    for (int64_t i = 0; i < size; i++) {
        float slope;
        out[i] = narrow(gelu(wide(x[i]), by_tanh, &slope));
    }
}

/* `sums` are added to. */
static inline __attribute__((always_inline)) void gelu_line_backward(const bf16 *gradient, const bf16 *x, int64_t size, int by_tanh,
                                                                     bf16 *of_x, float *sums) {
#pragma omp simd
    for (int64_t i = 0; i < size; i++) {
        float slope;
        (void)gelu(wide(x[i]), by_tanh, &slope);
        float value = rounded(wide(gradient[i]) * slope);
        of_x[i] = narrow(value);
        sums[i] += value;
    }
}

void gelu_forward(const bf16 *x, int64_t tokens, int64_t size, int by_tanh, bf16 *out) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        if (by_tanh) gelu_line(x + t * size, size, 1, out + t * size);
        else gelu_line(x + t * size, size, 0, out + t * size);
    }
}

/* of_x = gradient · slope(x), and for each block of tokens its sums, shape (blocks, size). */
void gelu_backward(const bf16 *gradient, const bf16 *x, int64_t tokens, int64_t size, int64_t block, int by_tanh, bf16 *of_x,
                   float *sums) {
    int64_t blocks = (tokens + block - 1) / block;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        float *own = sums + b * size;
        memset(own, 0, (size_t)size * 4);
        for (int64_t t = b * block; t < tokens && t < (b + 1) * block; t++) {
            int64_t at = t * size;
            if (by_tanh) gelu_line_backward(gradient + at, x + at, size, 1, of_x + at, own);
            else gelu_line_backward(gradient + at, x + at, size, 0, of_x + at, own);
        }
    }
}
