#include "early_core.h"

#include "memory_map.h"
#include "mmio.h"
#include "power.h"

/* Arm's A32: WFI, and a branch back to it. */
#define INSTRUCTION_WFI    0xe320f003u
#define INSTRUCTION_B_BACK 0xeafffffdu

/* Where there are vectors they send core 0 on to its own; without them it starts there. */
static uintptr_t start_of_program(void) {
    uintptr_t target = TRAMPOLINE_CORE0;

    /* The compiler takes an address this low for a null pointer with an offset. */
    __asm__("" : "+r"(target));
    return read32(R5_RESET) ? read32(target) : R5_RESET;
}

void early_core_start(void) {
    uintptr_t program = start_of_program();

    /* A boot loader may have put a firmware there. */
    if (!read32(program)) {
        write32(program, INSTRUCTION_WFI);
        write32(program + 4, INSTRUCTION_B_BACK);
    }
    power_on(0);
}
