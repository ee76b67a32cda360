/* The machine's own clock, which stands still for nobody but a halted machine. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_FEW     3
#define CLOCK_LONG_US 1000000

static inline uint64_t clock_microseconds(void) {
    uint64_t ticks, frequency;

    __asm__ volatile("isb\n\tmrs %0, cntpct_el0\n\tmrs %1, cntfrq_el0" : "=r"(ticks), "=r"(frequency));
    return ticks / (frequency / 1000000);
}

static inline void clock_pause(uint64_t microseconds) {
    uint64_t begun = clock_microseconds();

    while (clock_microseconds() - begun < microseconds)
        continue;
}

/* For loops that are to have many turns, and on a busy host some: whether turn `turn` of `most` shall still
 * be. */
static inline bool clock_allows(uint32_t turn, uint32_t most, uint64_t begun) {
    return turn < CLOCK_FEW || (turn < most && clock_microseconds() - begun < CLOCK_LONG_US);
}

#endif
