/* Latencies in ns: 128 steps for every power of two, so a quantile is at most 0.4 % off. */
#ifndef HEDDLE_BENCH_HISTOGRAM_H
#define HEDDLE_BENCH_HISTOGRAM_H

#include <stdint.h>

#define STEP_BITS 7
#define BUCKETS ((64 - STEP_BITS) << STEP_BITS)

struct histogram {
  uint64_t counts[BUCKETS];
  uint64_t count;
  double sum, max;
};

static inline void record(struct histogram *histogram, uint64_t ns) {
  int shift = ns < (1u << STEP_BITS) ? 0 : 63 - __builtin_clzll(ns) - STEP_BITS;
  histogram->counts[((uint64_t)shift << STEP_BITS) + (ns >> shift)]++;
  histogram->count++;
  histogram->sum += (double)ns;
  if ((double)ns > histogram->max) histogram->max = (double)ns;
}

/* The middle of the step that holds the quantile, in ns. */
static inline double quantile(const struct histogram *histogram, double q) {
  uint64_t rank = (uint64_t)(q * (double)histogram->count), seen = 0;
  for (uint64_t i = 0; i < BUCKETS; i++) {
    seen += histogram->counts[i];
    if (seen <= rank) continue;
    if (i < (2u << STEP_BITS)) return (double)i;
    uint64_t shift = (i >> STEP_BITS) - 1;
    uint64_t low = (i - (shift << STEP_BITS)) << shift;
    return (double)low + (double)(1ull << shift) / 2;
  }
  return histogram->max;
}

#endif
