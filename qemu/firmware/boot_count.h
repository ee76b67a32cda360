/* How often this core was started since QEMU was: the proof that a restart was one. */
#ifndef BOOT_COUNT_H
#define BOOT_COUNT_H

#include <stdint.h>

/* Counts a start; called once, before main. */
void boot_count_advance(void);

uint32_t boot_count(void);

#endif
