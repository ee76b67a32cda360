/* What a call changed of its caller's registers. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

struct witnessed {
    uint64_t reply;   /* x0 */
    uint64_t changed; /* bit 0 the flags, bits 1 to 30 x1 to x30, bit 31 SP, bits 32 to 63 v0 to v31 */
};

/* Makes the call of x0 to x3; x0 and as many after it as `results` says are its to change. For one A72 at a
 * time. */
struct witnessed call_witnessed(const uint64_t call[4], unsigned int results);

#endif
