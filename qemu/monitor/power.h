/* Power of the real-time cores, through the reset controller. */
#ifndef POWER_H
#define POWER_H

#include <stdbool.h>

#define R5_CORES 2

/* Whether the core is out of reset and executing. */
bool power_is_on(unsigned int core);

/*
 * Starts a core at address 0, or leaves it alone when it already runs. False
 * when it is not seen running in time.
 */
bool power_on(unsigned int core);

/* Stops a core wherever it is. False when it is not seen stopped in time. */
bool power_off(unsigned int core);

#endif
