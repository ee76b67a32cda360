/* SMCs to the monitor and PSCI calls to QEMU. */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>

struct reply {
    uint64_t x[2];
};

struct reply smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);

/* The low half of x0 is the status, the high half the first word of payload. */
uint32_t eemi_status(uint32_t call, uint32_t a0, uint32_t a1, uint32_t a2);
uint32_t eemi_payload(uint32_t call, uint32_t a0, uint32_t a1, uint32_t a2);

int32_t mailbox(uint32_t function, uint32_t local, uint32_t remote, uint32_t flags);

int64_t psci(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3);

#endif
