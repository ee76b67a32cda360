/* Interrupts of the A72 that asks, as Linux will use them: through system registers, at EL2. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

/* Lets this A72 take interrupts. */
void interrupts_begin(unsigned int cpu);

/* A bit for each private interrupt of this A72 that the non-secure world may not enable. */
uint32_t interrupts_withheld(unsigned int cpu);

/* The software interrupt by which A72s call each other here. */
#define INTERRUPT_SENT 7u
void interrupts_send(unsigned int cpu);

/* The number of the interrupt this A72 takes next, after a moment; 1023 for none. */
uint32_t interrupts_taken(void);

#endif
