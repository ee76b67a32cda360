// Entries of both A72s at EL2.
#define STACK_SIZE 4096

    .section .entry, "ax"
    .global selftest_entry
selftest_entry:
    adrp x1, stacks + STACK_SIZE
    add sp, x1, :lo12:(stacks + STACK_SIZE)
    b selftest_main

    .text
    .global selftest_second_entry
selftest_second_entry:
    adrp x1, stacks + 2 * STACK_SIZE
    add sp, x1, :lo12:(stacks + 2 * STACK_SIZE)
    b selftest_second_main

// uint64_t smc_preserves(uint64_t function): a bit for each of x4-x18 and
// x29 that the call changed.
    .global smc_preserves
smc_preserves:
    stp x29, x30, [sp, #-16]!
    mov x29, #29
    .irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
    mov x\n, #\n
    .endr
    mov x1, xzr
    mov x2, xzr
    mov x3, xzr
    smc #0
    mov x0, xzr
    .irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 29
    cmp x\n, #\n
    cset x1, ne
    orr x0, x0, x1, lsl #\n
    .endr
    ldp x29, x30, [sp], #16
    ret

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .skip 2 * STACK_SIZE
