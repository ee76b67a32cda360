#include "delay.h"

#define CYCLES_PER_MS 1000000u

/* PMCR: E counts, PMCNTENSET bit 31 is the cycle counter (Arm DDI 0406, chapter C12). */
#define PMCR_E            1u
#define PMCNTENSET_CYCLES (1u << 31)

static void enable_counter(void) {
    __asm__ volatile("mcr p15, 0, %0, c9, c12, 1" : : "r"(PMCNTENSET_CYCLES));
    __asm__ volatile("mcr p15, 0, %0, c9, c12, 0" : : "r"(PMCR_E));
}

uint32_t delay_now(void) {
    uint32_t cycles;

    enable_counter();
    __asm__ volatile("mrc p15, 0, %0, c9, c13, 0" : "=r"(cycles));
    return cycles;
}

uint32_t delay_elapsed_ms(uint32_t since) {
    return (delay_now() - since) / CYCLES_PER_MS;
}

void delay_until_ms(uint32_t since, uint32_t milliseconds) {
    while (delay_elapsed_ms(since) < milliseconds)
        continue;
}
