@ Exception vectors at address 0 where firmware is linked elsewhere. Both real-time
@ cores fetch here; each is sent on to the vectors of its own firmware, whose
@ addresses TARGET0 and TARGET1 come from the layout. The flags may be
@ lost: an exception has saved them, and out of reset there are none.
#include "memory_map.h"

    .arch armv7-r
    .arm
    .section .vectors, "ax"
    .set vector, 0
    .rept 8
    b forward_base + vector * 24
    .set vector, vector + 1
    .endr

forward_base:
    .set vector, 0
    .rept 8
    mcr p15, 0, r0, c13, c0, 4          @ TPIDRPRW is the one free place for r0
    mrc p15, 0, r0, c0, c0, 5           @ MPIDR bit 0 is the core
    tst r0, #1
    mrc p15, 0, r0, c13, c0, 4
    ldreq pc, targets + vector * 8
    ldrne pc, targets + vector * 8 + 4
    .set vector, vector + 1
    .endr

targets:
    .set vector, 0
    .rept 8
    .word TARGET0 + vector * 4, TARGET1 + vector * 4
    .set vector, vector + 1
    .endr

    .org TRAMPOLINE_CORE0
    .word TARGET0
