/*
 * QEMU takes its time to stop or start a core, and drops a request that comes
 * meanwhile. So the monitor may find a core on its way: after a call that lost
 * its patience on a busy host. Here the reset line is moved past the monitor.
 */
#include "checks.h"
#include "clock.h"
#include "cores.h"
#include "verdict.h"

#define CYCLES      100
#define SETTLED_US  500
#define LONG_ENOUGH 30000000

static void check_stop_of_a_starting_core(unsigned int core) {
    uint32_t failures = 0, runs = 0;
    uint64_t begun = clock_microseconds();

    core_place_runner(core);
    for (uint32_t cycle = 0; clock_allows(cycle, CYCLES, begun) && failures + runs == 0; cycle++) {
        core_reset_line(core, false);
        failures += core_power_down(core) != 0;
        clock_pause(SETTLED_US);
        runs += core_is_on(core);
    }
    expect("stop a starting core", failures, 0);
    expect("it never starts after that", runs, 0);
}

static void check_start_of_a_stopping_core(unsigned int core) {
    uint32_t failures = 0, missing = 0;
    uint64_t begun = clock_microseconds();

    core_place_runner(core);
    failures += core_wake(core) != 0;
    for (uint32_t cycle = 1; clock_allows(cycle, CYCLES, begun) && failures + missing == 0; cycle++) {
        missing += core_await_starts(core, cycle) != cycle;
        core_reset_line(core, true);
        failures += core_wake(core) != 0;
    }
    failures += core_power_down(core) != 0;
    expect("start a stopping core", failures, 0);
    expect("it starts anew each time", missing, 0);
}

static void check_core_that_does_not_obey(unsigned int core) {
    uint64_t begun;

    expect("a core escapes its reset", core_escape(core), 1);
    begun = clock_microseconds();
    expect("a core that does not stop is not said to start", core_try_to_wake(core), NOT_IN_TIME);
    expect("nor to stop", core_try_to_power_down(core), NOT_IN_TIME);
    expect("in bounded time", clock_microseconds() - begun < LONG_ENOUGH, 1);
    core_capture(core);
    expect("it is stopped at last", core_power_down(core), 0);
}

void check_unsettled(void) {
    for (unsigned int core = 0; core < CORES; core++) {
        check_stop_of_a_starting_core(core);
        check_start_of_a_stopping_core(core);
    }
    check_core_that_does_not_obey(0);
}
