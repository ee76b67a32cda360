@ Vectors and start-up of a Cortex-R5F: stacks, then main, then sleep.
    .arch armv7-r
    .arm
    .section .vectors, "ax"
    .global reset
reset:
    b start
    b undefined_instruction
    b supervisor_call
    b prefetch_abort
    b data_abort
    b .                                 @ the architecture's hole
    b interrupt
    b fast_interrupt

    .text
start:
    @ Every mode an exception may enter needs a stack before it does.
    ldr r0, =exception_stack_top
    cpsid if, #0x17                     @ abort
    mov sp, r0
    cpsid if, #0x1b                     @ undefined
    mov sp, r0
    cpsid if, #0x12                     @ IRQ
    mov sp, r0
    cpsid if, #0x11                     @ FIQ
    mov sp, r0
    cpsid if, #0x13                     @ supervisor: where the firmware runs
    ldr sp, =stack_top
    bl boot_count_advance
    bl main
sleep:
    wfi
    b sleep

    @ r0: which exception, r1: the address it concerns. None returns.
    .macro report kind
    mov r0, #\kind
    bl exception
    b sleep
    .endm

undefined_instruction:
    sub r1, lr, #4
    report 0
supervisor_call:
    sub r1, lr, #4
    report 1
prefetch_abort:
    sub r1, lr, #4
    report 2
data_abort:
    mrc p15, 0, r1, c6, c0, 0           @ DFAR
    report 3
interrupt:
    sub r1, lr, #4
    report 4
fast_interrupt:
    sub r1, lr, #4
    report 5
