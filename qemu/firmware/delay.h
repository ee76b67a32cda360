/* Time from the core's cycle counter: QEMU counts 1 GHz of virtual time, whatever the host's load. */
#ifndef DELAY_H
#define DELAY_H

#include <stdint.h>

/* A moment, for delay_elapsed_ms; wraps after 4.29 s. */
uint32_t delay_now(void);

uint32_t delay_elapsed_ms(uint32_t since);

/* Waits until `milliseconds` (at most 4000) after `since`. */
void delay_until_ms(uint32_t since, uint32_t milliseconds);

#endif
