#include "early_core.h"

#include "memory_map.h"
#include "mmio.h"
#include "power.h"

/* Arm's A32: WFI, and a branch back to it. */
#define INSTRUCTION_WFI    0xe320f003u
#define INSTRUCTION_B_BACK 0xeafffffdu

void early_core_start(void) {
    /* In the two-core layout the vectors there send core 0 on to its own; without them it starts there. */
    uintptr_t program = read32(R5_RESET) ? CORE0_VECTORS : R5_RESET;

    write32(program, INSTRUCTION_WFI);
    write32(program + 4, INSTRUCTION_B_BACK);
    power_on(0);
}
