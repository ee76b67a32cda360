#include "mhu.h"

#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"

/* Linux's `rx`: channel 1, in its direction. */
#define TO_LINUX_STATUS (OCM_MHU + 0x20)

/*
 * A core that is stopped while it rings leaves the line high, and Linux would
 * serve that interrupt for ever: the line first, then the reason for it.
 */
void mhu_core_stopped(void) {
    write32(UART1 + PL011_IMSC, 0);
    write32(TO_LINUX_STATUS, 0);
}
