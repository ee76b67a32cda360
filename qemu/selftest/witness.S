// One SMC with every register known before it and stored after it.
    .arch_extension fp
    .arch_extension simd

// Offsets into struct registers, and from the one before the call to the one after it.
#define SP_AT 248
#define FLAGS_AT 256
#define VECTORS_AT 272
#define AFTER 784

// void smc_witnessed(struct witness *): makes the call with all registers as
// they are in the first half, stores them in the second. The pointer waits in
// TPIDR_EL0, the reply's x0 in TPIDR_EL1.
    .text
    .global smc_witnessed
smc_witnessed:
    stp x19, x20, [sp, #-96]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    msr tpidr_el0, x0
    mov x1, sp
    str x1, [x0, #SP_AT]
    ldr x1, [x0, #FLAGS_AT]
    msr nzcv, x1
    add x1, x0, #VECTORS_AT
    ld1 {v0.2d-v3.2d}, [x1], #64
    ld1 {v4.2d-v7.2d}, [x1], #64
    ld1 {v8.2d-v11.2d}, [x1], #64
    ld1 {v12.2d-v15.2d}, [x1], #64
    ld1 {v16.2d-v19.2d}, [x1], #64
    ld1 {v20.2d-v23.2d}, [x1], #64
    ld1 {v24.2d-v27.2d}, [x1], #64
    ld1 {v28.2d-v31.2d}, [x1], #64
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    smc #0
    msr tpidr_el1, x0
    mrs x0, tpidr_el0
    add x0, x0, #AFTER
    str x1, [x0, #8]
    stp x2, x3, [x0, #16]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    str x30, [x0, #240]
    mrs x1, tpidr_el1
    str x1, [x0]
    mov x1, sp
    str x1, [x0, #SP_AT]
    mrs x1, nzcv
    str x1, [x0, #FLAGS_AT]
    add x1, x0, #VECTORS_AT
    st1 {v0.2d-v3.2d}, [x1], #64
    st1 {v4.2d-v7.2d}, [x1], #64
    st1 {v8.2d-v11.2d}, [x1], #64
    st1 {v12.2d-v15.2d}, [x1], #64
    st1 {v16.2d-v19.2d}, [x1], #64
    st1 {v20.2d-v23.2d}, [x1], #64
    st1 {v24.2d-v27.2d}, [x1], #64
    st1 {v28.2d-v31.2d}, [x1], #64
    sub x0, x0, #AFTER
    ldr x1, [x0, #SP_AT]
    mov sp, x1
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #96
    ret
