/* Each real-time core on and off by itself. */
#include "call.h"
#include "checks.h"
#include "clock.h"
#include "cores.h"
#include "crl.h"
#include "memory_map.h"
#include "mmio.h"
#include "verdict.h"

#define IOCTL  0xc2000022u
#define RPU0_0 0x18110005u

enum { CONFLICT = 2001 };

#define CYCLES 50

static void check_core(unsigned int core) {
    core_place_sleeper(core);
    expect("core is halted", core_state(core), HALTED);
    expect("stop a stopped core", core_power_down(core), 0);
    expect("wake", core_wake(core), 0);
    expect("core ran", core_await_starts(core, 1), 1);
    expect("core is running", core_state(core), RUNNING);
    expect("wake a running core", core_wake(core), 0);
    expect("a second wake restarts nothing", core_starts(core), 1);
    expect("no mode change under a running core", eemi_status(IOCTL, RPU0_0, 1, 0), CONFLICT);
    expect("power down", core_power_down(core), 0);
    expect("core is halted again", core_state(core), HALTED);
}

/* The calls return when it is so: what is asked next finds the core running, or standing still. */
static void check_cycles(unsigned int core) {
    uint32_t failures = 0, not_running = 0, not_started = 0, not_stopped = 0;
    uint64_t begun = clock_microseconds();

    core_place_runner(core);
    for (uint32_t cycle = 0; clock_allows(cycle, CYCLES, begun) && not_started == 0; cycle++) {
        failures += core_wake(core) != 0;
        not_running += core_state(core) != RUNNING;
        not_started += core_await_starts(core, cycle + 1) != cycle + 1;
        failures += core_power_down(core) != 0;
        not_stopped += core_is_on(core) || core_beats_on(core, false);
    }
    expect("restarts without fail", failures, 0);
    expect("a wake-up returns when the core runs", not_running, 0);
    expect("a core that was woken starts", not_started, 0);
    expect("a power-down returns when the core has stopped", not_stopped, 0);
}

/* `core` comes and goes while the other one runs. */
static void check_neighbour(unsigned int core) {
    unsigned int other = 1 - core;

    core_place_runner(core);
    core_place_runner(other);
    expect("wake the neighbour", core_wake(other), 0);
    expect("the neighbour starts", core_await_starts(other, 1), 1);
    expect("nobody wakes with it", core_beats_on(core, false), 0);
    expect("stop the core that is stopped", core_power_down(core), 0);
    expect("the neighbour runs on after that", core_beats_on(other, true), 1);
    expect("wake the second", core_wake(core), 0);
    expect("the second starts", core_await_starts(core, 1), 1);
    expect("both run", core_beats_on(core, true) && core_beats_on(other, true), 1);
    expect("stop the second", core_power_down(core), 0);
    expect("it stands still", core_beats_on(core, false), 0);
    expect("the neighbour runs on", core_beats_on(other, true), 1);
    expect("and is said to", core_state(other), RUNNING);
    expect("the neighbour was started once", core_starts(other), 1);
    expect("stop the neighbour", core_power_down(other), 0);
    expect("the neighbour stands still", core_beats_on(other, false), 0);
}

void check_power(void) {
    for (unsigned int core = 0; core < CORES; core++) {
        check_core(core);
        check_cycles(core);
    }
    for (unsigned int core = 0; core < CORES; core++)
        check_neighbour(core);
    /* The cluster's own reset and its bus' are nobody's business: as QEMU starts. */
    expect("all is in reset again", read32(CRL_RST_CPU_R5), 0x17);
}
