/* The caller's registers at an SMC, as entry.S saves them. */
#ifndef SMC_H
#define SMC_H

#include <stdbool.h>
#include <stdint.h>

struct smc_frame {
    uint64_t x[8]; /* x0 is the function identifier; results go back in x0 and x1 */
};

/* What a call leaves in x0: 0, or EIO, which Linux's drivers hand on to whoever asked. */
static inline uint64_t smc_result(bool success) {
    return success ? 0 : (uint64_t)-5;
}

/* Serves one SMC; may be entered by both A72s at once. */
void smc_handle(struct smc_frame *frame);

#endif
