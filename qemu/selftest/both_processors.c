/* Both A72s at work, the second one's first SMC through the stub at 0x400. */
#include "call.h"
#include "checks.h"
#include "clock.h"
#include "cores.h"
#include "interrupts.h"
#include "memory_map.h"
#include "mmio.h"
#include "registers.h"
#include "verdict.h"

#define CPU_ON  0xc4000003u
#define CPU_OFF 0x84000002u

#define GET_API_VERSION 0xc2000001u

enum { NOTIFY = 3, LINUX = 2, CORE0 = 4 };

#define CALLS  20000
#define CYCLES 50

/* The monitor waits for two seconds for a core that does not obey. */
#define LONG_US 1000000

void selftest_second_entry(void);
_Noreturn void selftest_second_main(void);

/* What each A72 has come to: neither goes on to the next before the other has. */
enum stage { OFF, TAKING_INTERRUPTS, NOTIFYING, CYCLING, CYCLED, WAITING, DONE };

static volatile enum stage reached[2];

static void meet(unsigned int cpu, enum stage stage) {
    reached[cpu] = stage;
    while (reached[1 - cpu] < stage)
        continue;
}

static volatile struct {
    struct witnessed first;
    uint32_t withheld;
    uint32_t interrupt;
    uint32_t notify_failures;
    uint32_t cycle_failures;
    uint64_t longest;
} second;

/* Both processors make the monitor count up the same word. */
static uint32_t notify(void) {
    uint32_t failures = 0;

    for (unsigned int i = 0; i < CALLS; i++)
        failures += mailbox(NOTIFY, LINUX, CORE0, 0) != 0;
    return failures;
}

/* Each processor has a core of its own, whose reset bits share a register. */
static uint32_t cycle(unsigned int core) {
    uint32_t failures = 0;
    uint64_t begun = clock_microseconds();

    for (uint32_t i = 0; clock_allows(i, CYCLES, begun) && failures == 0; i++) {
        failures += core_wake(core) != 0;
        failures += core_await_starts(core, i + 1) != i + 1;
        failures += core_power_down(core) != 0;
        failures += core_is_on(core);
    }
    return failures;
}

/* The longest of the calls that this processor makes while the other one waits inside the monitor. */
static uint64_t longest_call(void) {
    uint64_t longest = 0;

    while (reached[0] == WAITING) {
        uint64_t begun = clock_microseconds(), took;

        eemi_status(GET_API_VERSION, 0, 0, 0);
        took = clock_microseconds() - begun;
        longest = took > longest ? took : longest;
    }
    return longest;
}

void selftest_second_main(void) {
    struct witnessed first = call_witnessed((const uint64_t[4]){GET_API_VERSION, 0, 0, 0}, 2);

    second.first.reply = first.reply;
    second.first.changed = first.changed;
    interrupts_begin(1);
    second.withheld = interrupts_withheld(1);
    meet(1, TAKING_INTERRUPTS);
    second.interrupt = interrupts_taken();
    meet(1, NOTIFYING);
    second.notify_failures = notify();
    meet(1, CYCLING);
    second.cycle_failures = cycle(1);
    meet(1, CYCLED);
    meet(1, WAITING);
    second.longest = longest_call();
    meet(1, DONE);
    psci(CPU_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

static void check_second(void) {
    expect("second processor on", psci(CPU_ON, 1, (uint64_t)selftest_second_entry, 0), 0);
    meet(0, TAKING_INTERRUPTS);
    expect("first reply on the second processor", (int64_t)(second.first.reply >> 32), 0x10000);
    expect("registers survive that call", (int64_t)second.first.changed, 0);
    expect("private interrupts of the second are Linux's", second.withheld, 0);
    interrupts_send(1);
    meet(0, NOTIFYING);
    expect("an interrupt arrives at the second", second.interrupt, INTERRUPT_SENT);
}

/* One call at a time: nobody is served while another call is under way. */
static void check_lock(void) {
    expect("a core escapes its reset again", core_escape(0), 1);
    meet(0, WAITING);
    core_try_to_wake(0);
    meet(0, DONE);
    core_capture(0);
    expect("a call waits for the other processor's", second.longest > LONG_US, 1);
}

void check_both_processors(void) {
    uint32_t failures, kicks = read32(OCM_KICKS);

    core_place_runner(0);
    core_place_runner(1);
    check_second();
    failures = notify();
    meet(0, CYCLING);
    expect("calls of the first processor", failures, 0);
    expect("calls of the second processor", second.notify_failures, 0);
    expect("no call was lost", (int64_t)(read32(OCM_KICKS) - kicks), 2 * CALLS);
    failures = cycle(0);
    /* The escape writes the shared register past the monitor's lock. */
    meet(0, CYCLED);
    check_lock();
    expect("cores of both at once", failures + second.cycle_failures, 0);
}
