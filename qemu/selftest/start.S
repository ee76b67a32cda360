// Entries of both A72s at EL2.
#define STACK_SIZE 4096

// CPTR_EL2 that traps nothing: the vector registers are looked at too.
#define CPTR_NO_TRAP 0x33ff

    .section .entry, "ax"
    .global selftest_entry
selftest_entry:
    adrp x1, stacks + STACK_SIZE
    add sp, x1, :lo12:(stacks + STACK_SIZE)
    mov x1, #CPTR_NO_TRAP
    msr cptr_el2, x1
    b selftest_main

    .text
    .global selftest_second_entry
selftest_second_entry:
    adrp x1, stacks + 2 * STACK_SIZE
    add sp, x1, :lo12:(stacks + 2 * STACK_SIZE)
    mov x1, #CPTR_NO_TRAP
    msr cptr_el2, x1
    b selftest_second_main

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .skip 2 * STACK_SIZE
