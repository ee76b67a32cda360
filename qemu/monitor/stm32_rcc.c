#include "stm32_rcc.h"

#include "memory_map.h"
#include "mmio.h"
#include "power.h"
#include "variant.h"

#define STM32_SMC_RCC       0x82001000u
#define STM32_SMC_REG_WRITE 1u

/* With a secure world, hold-boot is set by SMC (st,syscfg-tz). */
#define SYSCON_TZ (OCM_SYSCON + 0)
#define TZ_SECURE 1

/* What the boot loader has made of the core (st,syscfg-m4-state). */
#define SYSCON_CORE_STATE (OCM_SYSCON + 4)
enum core_state { CORE_OFF = 0, CORE_RUNNING = 2 };

void stm32_rcc_reset(void) {
    write32(SYSCON_TZ, TZ_SECURE);
    write32(SYSCON_CORE_STATE, variant_core0_runs ? CORE_RUNNING : CORE_OFF);
}

/*
 * Hold-boot keeps a core that comes out of reset from running, and nothing else:
 * Linux releases it to start the core and sets it again at once.
 */
static bool write_hold_boot(uint64_t released) {
    return !released || variant_wakeup_lies || power_on(0);
}

bool stm32_rcc_serve(struct smc_frame *frame) {
    if ((uint32_t)frame->x[0] != STM32_SMC_RCC || frame->x[1] != STM32_SMC_REG_WRITE)
        return false;
    frame->x[0] = smc_result(write_hold_boot(frame->x[3]));
    return true;
}
