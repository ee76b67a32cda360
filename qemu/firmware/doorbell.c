#include "doorbell.h"

#include "identity.h"
#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"

void doorbell_ring(void) {
    write32(OCM_DOORBELLS + 4 * identity_index, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* The transmit interrupt has been pending since the first character: unmasking it raises the line. */
    write32(UART1 + PL011_IMSC, PL011_IMSC_TX);
}

uint32_t doorbell_heard(void) {
    return read32(OCM_KICKS + 4 * identity_index);
}
