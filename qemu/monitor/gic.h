/* The interrupt controller, as Linux expects to find it: all interrupts its own. */
#ifndef GIC_H
#define GIC_H

/* Hands every interrupt of both A72s to the non-secure world. Run once, on A72 core 0. */
void gic_hand_over(void);

#endif
