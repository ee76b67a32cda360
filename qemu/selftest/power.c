/* Both real-time cores on and off, with code that only counts and sleeps. */
#include "call.h"
#include "checks.h"
#include "crl.h"
#include "memory_map.h"
#include "mmio.h"
#include "verdict.h"

#define GET_NODE_STATUS 0xc2000003u
#define FORCE_POWERDOWN 0xc2000008u
#define REQUEST_WAKEUP  0xc200000au
#define IOCTL           0xc2000022u

#define RPU0_0 0x18110005u
#define RPU0_1 0x18110006u

enum { RUNNING = 1, HALTED = 12, CONFLICT = 2001 };

#define COUNTER 0x1000 /* above a core's vectors */
#define CYCLES  50

static const uintptr_t vectors[] = {CORE0_VECTORS, CORE1_VECTORS};
static const uint32_t nodes[] = {RPU0_0, RPU0_1};

/* R5: add one to the word at COUNTER above the vectors, then wait for ever. */
static void place_code(uintptr_t base) {
    static const uint32_t code[] = {
        0xe24f0008, /* sub r0, pc, #8: the vectors' address */
        0xe2800a01, /* add r0, r0, #COUNTER */
        0xe5901000, /* ldr r1, [r0] */
        0xe2811001, /* add r1, r1, #1 */
        0xe5801000, /* str r1, [r0] */
        0xe320f003, /* wfi */
        0xeafffffd, /* b the wfi */
    };

    for (unsigned int i = 0; i < sizeof(code) / sizeof(code[0]); i++)
        write32(base + 4 * i, code[i]);
    write32(base + COUNTER, 0);
}

/* A wake-up means the core executes, not that it already has: give it a moment. */
static uint32_t await_count(unsigned int core, uint32_t wanted) {
    for (unsigned int polls = 0; polls < 10000000; polls++)
        if (read32(vectors[core] + COUNTER) == wanted)
            break;
    return read32(vectors[core] + COUNTER);
}

static void check_core(unsigned int core) {
    uint32_t failures = 0;

    place_code(vectors[core]);
    expect("core is halted", eemi_payload(GET_NODE_STATUS, nodes[core], 0, 0), HALTED);
    expect("stop a stopped core", eemi_status(FORCE_POWERDOWN, nodes[core], 1, 0), 0);
    expect("wake", eemi_status(REQUEST_WAKEUP, nodes[core], 1, 0), 0);
    expect("core ran", await_count(core, 1), 1);
    expect("core is running", eemi_payload(GET_NODE_STATUS, nodes[core], 0, 0), RUNNING);
    expect("wake a running core", eemi_status(REQUEST_WAKEUP, nodes[core], 1, 0), 0);
    expect("a second wake restarts nothing", read32(vectors[core] + COUNTER), 1);
    expect("no mode change under a running core", eemi_status(IOCTL, RPU0_0, 1, 0), CONFLICT);
    expect("power down", eemi_status(FORCE_POWERDOWN, nodes[core], 1, 0), 0);
    expect("core is halted again", eemi_payload(GET_NODE_STATUS, nodes[core], 0, 0), HALTED);

    for (uint32_t cycle = 0; cycle < CYCLES; cycle++) {
        failures += eemi_status(REQUEST_WAKEUP, nodes[core], 1, 0) != 0;
        failures += await_count(core, cycle + 2) != cycle + 2;
        failures += eemi_status(FORCE_POWERDOWN, nodes[core], 1, 0) != 0;
    }
    expect("restarts without fail", failures, 0);
}

void check_power(void) {
    check_core(0);
    check_core(1);
    expect("both cores in reset", read32(CRL_RST_CPU_R5) & 3, 3);
}
