/* The mailbox between this core and Linux, both ways. */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <stdint.h>

/* Interrupts Linux. UART1 must have transmitted a character before. */
void doorbell_ring(void);

/* How often Linux has rung: what an interrupt would be to a core that has them. */
uint32_t doorbell_heard(void);

#endif
