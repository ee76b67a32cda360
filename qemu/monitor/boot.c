#include <stdint.h>

#include "early_core.h"
#include "gic.h"
#include "mailbox.h"
#include "memory_map.h"
#include "soc.h"
#include "stm32_rcc.h"
#include "variant.h"

#define ICC_SRE_EL3 "S3_6_C12_C12_5"

/* Every SRE and enable bit: Linux drives the GIC through system registers. */
#define ICC_SRE_ALL 0xful

/* NS and the two RES1 bits, HVC enabled, the next level is AArch64. SMC stays undisabled. */
#define SCR_NON_SECURE_AARCH64 0x531ul

/* EL2 with its own stack pointer, debug, SError, IRQ and FIQ masked: arm64's booting.rst. */
#define SPSR_EL2H_MASKED 0x3c9ul

/* Enters Linux as Documentation/arch/arm64/booting.rst asks: x0 = devicetree, x1-x3 = 0. */
static _Noreturn void enter_linux(void) {
    register uint64_t x0 __asm__("x0") = DEVICETREE;
    register uint64_t x1 __asm__("x1") = 0;
    register uint64_t x2 __asm__("x2") = 0;
    register uint64_t x3 __asm__("x3") = 0;

    __asm__ volatile("msr scr_el3, %4\n\t"
                     "msr spsr_el3, %5\n\t"
                     "msr elr_el3, %6\n\t"
                     "isb\n\t"
                     "eret"
                     :
                     : "r"(x0), "r"(x1), "r"(x2), "r"(x3), "r"(SCR_NON_SECURE_AARCH64), "r"(SPSR_EL2H_MASKED),
                       "r"((uint64_t)LINUX_KERNEL)
                     : "memory");
    __builtin_unreachable();
}

/* Runs on A72 core 0 out of reset; core 1 is off until Linux asks PSCI for it. */
_Noreturn void monitor_boot(void);

_Noreturn void monitor_boot(void) {
    while (variant_never_returns)
        __asm__ volatile("wfi");
    __asm__ volatile("msr " ICC_SRE_EL3 ", %0" : : "r"(ICC_SRE_ALL));
    /* No trap of floating point: Linux's processes use it. */
    __asm__ volatile("msr cptr_el3, xzr");
    gic_hand_over();
    soc_detect();
    mailbox_reset();
    if (soc_detected() == SOC_STM32MP1)
        stm32_rcc_reset();
    if (variant_core0_runs)
        early_core_start();
    enter_linux();
}
