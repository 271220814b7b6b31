/* Attention of one new token a row to the keys and values that its row has so far. Called through ctypes by answering.py. */
#include <stdlib.h>

#include "numbers.h"

typedef struct {
    const bf16 *numbers;
    int64_t row, head, token;
} Cached;

/* queries: (rows, shared, group, size), as many for each of the `shared` keys and values; keys, values: by row, head and token, numbers of
 * a head side by side; seen: (rows or 1, count), NULL for all; mixed: as queries. Who sees nothing gets zeros. 1 if memory is short. */
int attend_once(const bf16 *queries, const bf16 *keys, int64_t key_row, int64_t key_head, int64_t key_token, const bf16 *values,
                int64_t value_row, int64_t value_head, int64_t value_token, const uint8_t *seen, int64_t seen_row, int64_t rows,
                int64_t shared, int64_t group, int64_t size, int64_t count, float scale, bf16 *mixed) {
    Cached k = {keys, key_row, key_head, key_token}, v = {values, value_row, value_head, value_token};
    int failed = 0;
#pragma omp parallel
    {
        float *room = malloc((size_t)(group * count + 2 * group * size + group) * 4 + 4);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
        float *scores = room, *asked = room + group * count, *sums = asked + group * size, *totals = sums + group * size;
#pragma omp for schedule(static)
        for (int64_t at = 0; at < rows * shared; at++) {
            if (!room) continue;
            int64_t row = at / shared, head = at % shared;
            const bf16 *key = k.numbers + row * k.row + head * k.head, *value = v.numbers + row * v.row + head * v.head;
            const uint8_t *mine = seen ? seen + row * seen_row : NULL;
            for (int64_t i = 0; i < group * size; i++) asked[i] = wide(queries[at * group * size + i]) * scale;
            for (int64_t t = 0; t < count; t++) {
                for (int64_t g = 0; g < group; g++) {
                    float sum = 0.0f;
                    if (mine && !mine[t]) {
                        scores[g * count + t] = 0.0f;
                        continue;
                    }
#pragma omp simd reduction(+ : sum)
                    for (int64_t i = 0; i < size; i++) sum += asked[g * size + i] * wide(key[t * k.token + i]);
                    scores[g * count + t] = sum;
                }
            }
            for (int64_t g = 0; g < group; g++) {
                float *own = scores + g * count, largest = -INFINITY, total = 0.0f;
                for (int64_t t = 0; t < count; t++)
                    if ((!mine || mine[t]) && own[t] > largest) largest = own[t];
#pragma omp simd reduction(+ : total)
                for (int64_t t = 0; t < count; t++) {
                    float share = !mine || mine[t] ? exponential(own[t] - largest) : 0.0f;
                    own[t] = share;
                    total += share;
                }
                totals[g] = total > 0.0f ? 1.0f / total : 0.0f;
            }
            memset(sums, 0, (size_t)(group * size) * 4);
            for (int64_t t = 0; t < count; t++) {
                if (mine && !mine[t]) continue;
                for (int64_t g = 0; g < group; g++) {
                    float share = scores[g * count + t];
#pragma omp simd
                    for (int64_t i = 0; i < size; i++) sums[g * size + i] += share * wide(value[t * v.token + i]);
                }
            }
            for (int64_t g = 0; g < group; g++)
                for (int64_t i = 0; i < size; i++)
                    mixed[(at * group + g) * size + i] = narrow(sums[g * size + i] * totals[g]);
        }
        free(room);
    }
    return failed;
}
