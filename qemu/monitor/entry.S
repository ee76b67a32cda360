// Reset entry and exception vectors of the monitor, at EL3 with the MMU off.
#include "memory_map.h"

#define STACK_SHIFT 11 // 2 KiB for each of the two A72s

    .section .vectors, "ax"
    .balign 0x800
monitor_vectors:
    // Sixteen entries of 0x80 bytes; only a synchronous exception from a lower
    // AArch64 level (an SMC) is expected, everything else is a defect.
    .set entry, 0
    .rept 8
    mov x0, #entry
    b unexpected
    .balign 0x80
    .set entry, entry + 1
    .endr

    // 0x400: synchronous, lower level, AArch64.
    msr tpidr_el3, x0
    b lower_synchronous
    .balign 0x80

    .set entry, 9
    .rept 7
    mov x0, #entry
    b unexpected
    .balign 0x80
    .set entry, entry + 1
    .endr

    .text
    .global monitor_entry
monitor_entry:
    mov x0, #MONITOR_VECTORS
    msr vbar_el3, x0
    bl use_own_stack
    b monitor_boot

// SP = top of this A72's stack; clobbers x0 and x1.
use_own_stack:
    mrs x0, mpidr_el1
    and x0, x0, #1
    add x0, x0, #1
    adrp x1, stacks
    add x1, x1, :lo12:stacks
    add x0, x1, x0, lsl #STACK_SHIFT
    mov sp, x0
    ret

// A caller's x0 is in TPIDR_EL3. The frame of smc.h is built below the stack's
// top; SMCCC lets x4-x17 be lost, but every register is preserved: the caller
// may be anything. x19-x29 are preserved by smc_handle, as by any function.
lower_synchronous:
    mrs x0, mpidr_el1
    tbnz x0, #0, 1f
    adrp x0, stacks + (1 << STACK_SHIFT)
    add x0, x0, :lo12:(stacks + (1 << STACK_SHIFT))
    b 2f
1:  adrp x0, stacks + (2 << STACK_SHIFT)
    add x0, x0, :lo12:(stacks + (2 << STACK_SHIFT))
2:  mov sp, x0
    mrs x0, tpidr_el3
    stp x0, x1, [sp, #-160]!
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]

    mrs x0, esr_el3
    lsr x0, x0, #26
    cmp x0, #0x17 // ESR_ELx.EC: SMC executed in AArch64
    mov x0, #8
    b.ne unexpected
    mov x0, sp
    bl smc_handle

    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    ldp x0, x1, [sp], #160
    eret

// x0: number of the vector taken.
unexpected:
    mov x2, x0
    bl use_own_stack
    mov x0, x2
    mrs x1, esr_el3
    mrs x2, elr_el3
    mrs x3, far_el3
    b defect

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .skip 2 << STACK_SHIFT
