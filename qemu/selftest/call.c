#include "call.h"

#define MAILBOX_CALLS 0x82001000u

struct reply smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3) {
    register uint64_t r0 __asm__("x0") = x0;
    register uint64_t r1 __asm__("x1") = x1;
    register uint64_t r2 __asm__("x2") = x2;
    register uint64_t r3 __asm__("x3") = x3;

    __asm__ volatile("smc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "memory");
    return (struct reply){{r0, r1}};
}

static struct reply eemi(uint32_t call, uint32_t a0, uint32_t a1, uint32_t a2) {
    return smc(call, a0 | (uint64_t)a1 << 32, a2, 0);
}

uint32_t eemi_status(uint32_t call, uint32_t a0, uint32_t a1, uint32_t a2) {
    return (uint32_t)eemi(call, a0, a1, a2).x[0];
}

uint32_t eemi_payload(uint32_t call, uint32_t a0, uint32_t a1, uint32_t a2) {
    return (uint32_t)(eemi(call, a0, a1, a2).x[0] >> 32);
}

int32_t mailbox(uint32_t function, uint32_t local, uint32_t remote, uint32_t flags) {
    return (int32_t)smc(MAILBOX_CALLS + function, local, remote, flags).x[0];
}

int64_t psci(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3) {
    register uint64_t r0 __asm__("x0") = function;
    register uint64_t r1 __asm__("x1") = x1;
    register uint64_t r2 __asm__("x2") = x2;
    register uint64_t r3 __asm__("x3") = x3;

    __asm__ volatile("hvc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "memory");
    return (int64_t)r0;
}
