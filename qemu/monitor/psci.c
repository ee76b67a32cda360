#include "psci.h"

#define PSCI_SYSTEM_OFF    0x84000008u
#define PSCI_AFFINITY_INFO 0xc4000004u

static uint64_t call(uint64_t function, uint64_t argument) {
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = argument;
    register uint64_t x2 __asm__("x2") = 0; /* lowest affinity level */
    register uint64_t x3 __asm__("x3") = 0;

    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0;
}

int32_t psci_affinity_info(uint64_t mpidr) {
    return (int32_t)call(PSCI_AFFINITY_INFO, mpidr);
}

void psci_system_off(void) {
    call(PSCI_SYSTEM_OFF, 0);
    for (;;)
        __asm__ volatile("wfi");
}
