/*
 * Arm's message handling unit, whose registers the core's firmware serves in
 * memory (../firmware/doorbell_mhu.c).
 */
#ifndef MHU_H
#define MHU_H

/* To be called once the core has stopped. */
void mhu_core_stopped(void);

#endif
