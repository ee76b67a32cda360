/* The watchdog of a core whose SoC has one: Linux takes its interrupt for a crash of the core. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/* Raises the interrupt once. Nothing happens on a core without a watchdog. */
void watchdog_bite(void);

#endif
