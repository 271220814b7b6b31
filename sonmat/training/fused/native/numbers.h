/* bfloat16 in memory, float32 while computed: results are rounded to the nearest, ties to even, and NaN stays NaN. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

static inline float wide(bf16 x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline bf16 narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uint32_t not_a_number = (bits >> 16) | 0x40u;
    return (bf16)((bits & 0x7fffffffu) > 0x7f800000u ? not_a_number : rounded);
}

static inline float rounded(float value) { return wide(narrow(value)); }

/* exp by 2^n · p(r), |r| ≤ ln 2 / 2: relative error below 2e-7, in a form that compilers turn into vectors. NaN stays NaN. */
static inline float exponential(float x) {
    float held = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    float n = rintf(held * 1.44269504f);
    float r = held - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return p * power;
}

static inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

/* The derivative and value of GELU in its tanh form. */
static inline float gelu_by_tanh(float x, float *slope) {
    float inner = 0.7978845608f * (x + 0.044715f * x * x * x);
    float t = 1.0f - 2.0f * sigmoid(-2.0f * inner);
    *slope = 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.7978845608f * (1.0f + 3.0f * 0.044715f * x * x);
    return 0.5f * x * (1.0f + t);
}
