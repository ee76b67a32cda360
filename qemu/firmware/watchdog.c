#include "watchdog.h"

#include "identity.h"
#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"

void watchdog_bite(void) {
    if (!identity_has_watchdog)
        return;
    /* The transmit interrupt has been pending since the first character. Masked and unmasked it is one rising
     * edge. */
    write32(UART1 + PL011_IMSC, 0);
    write32(UART1 + PL011_IMSC, PL011_IMSC_TX);
}
