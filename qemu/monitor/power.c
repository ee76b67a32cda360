#include "power.h"

#include "crl.h"
#include "mmio.h"
#include "psci.h"

/* The real-time cores' MPIDR affinity is 0x100 | core (hw/arm/xlnx-versal.c). */
#define R5_MPIDR(core) (0x100u | (core))

/*
 * A power request takes QEMU microseconds, on a busy host milliseconds. Linux
 * waits inside the SMC, so the patience stays well below its stall detectors'.
 */
#define PATIENCE_SECONDS 2

static uint64_t now(void) {
    uint64_t ticks;

    __asm__ volatile("isb; mrs %0, cntpct_el0" : "=r"(ticks));
    return ticks;
}

static uint64_t ticks_per_second(void) {
    uint64_t frequency;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency;
}

/*
 * QEMU changes a CPU's power state asynchronously and drops a request made
 * while the previous one is in flight, so each edge of the reset bit needs the
 * state before it to have settled.
 */
static bool await(unsigned int core, enum psci_affinity wanted) {
    uint64_t start = now();

    while (psci_affinity_info(R5_MPIDR(core)) != (int32_t)wanted)
        if (now() - start > PATIENCE_SECONDS * ticks_per_second())
            return false;
    return true;
}

static bool in_reset(unsigned int core) {
    return read32(CRL_RST_CPU_R5) & (1u << core);
}

bool power_is_on(unsigned int core) {
    return !in_reset(core) && psci_affinity_info(R5_MPIDR(core)) == PSCI_ON;
}

bool power_on(unsigned int core) {
    if (in_reset(core)) {
        if (!await(core, PSCI_OFF))
            return false;
        /* The falling edge resets the core and lets it run. */
        write32(CRL_RST_CPU_R5, read32(CRL_RST_CPU_R5) & ~(1u << core));
    }
    return await(core, PSCI_ON);
}

bool power_off(unsigned int core) {
    if (!in_reset(core)) {
        if (!await(core, PSCI_ON))
            return false;
        /* The rising edge stops the core. */
        write32(CRL_RST_CPU_R5, read32(CRL_RST_CPU_R5) | (1u << core));
    }
    return await(core, PSCI_OFF);
}
