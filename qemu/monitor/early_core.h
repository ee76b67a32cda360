/* A core that runs before Linux does: what a boot loader leaves on many boards. */
#ifndef EARLY_CORE_H
#define EARLY_CORE_H

/* Starts core 0 on the firmware that is in its memory, or else on a loop of two instructions. */
void early_core_start(void);

#endif
