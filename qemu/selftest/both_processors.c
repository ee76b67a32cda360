/* SMCs of both A72s at once, the second one's through the stub at 0x400. */
#include "call.h"
#include "checks.h"
#include "memory_map.h"
#include "mmio.h"
#include "verdict.h"

#define CPU_ON  0xc4000003u
#define CPU_OFF 0x84000002u

#define GET_API_VERSION 0xc2000001u

enum { NOTIFY = 3, LINUX = 2, CORE0 = 4 };

#define CALLS   20000
#define WAITING ~0u

void selftest_second_entry(void);
_Noreturn void selftest_second_main(void);

static volatile uint32_t second_failures = WAITING;
static volatile uint32_t second_first_reply;

/* Both processors make the monitor count up the same word. */
static int32_t notify(void) {
    return mailbox(NOTIFY, LINUX, CORE0, 0);
}

void selftest_second_main(void) {
    uint32_t failures = 0;

    second_first_reply = eemi_payload(GET_API_VERSION, 0, 0, 0);
    for (unsigned int i = 0; i < CALLS; i++)
        failures += notify() != 0;
    second_failures = failures;
    psci(CPU_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

void check_both_processors(void) {
    uint32_t failures = 0;
    uint64_t kicks = read32(OCM_KICKS);

    expect("second processor on", psci(CPU_ON, 1, (uint64_t)selftest_second_entry, 0), 0);
    for (unsigned int i = 0; i < CALLS; i++)
        failures += notify() != 0;
    while (second_failures == WAITING)
        continue;
    expect("first reply on the second processor", second_first_reply, 0x10000);
    expect("calls of the second processor", second_failures, 0);
    expect("calls of the first processor", failures, 0);
    expect("no call was lost", (int64_t)(read32(OCM_KICKS) - kicks), 2 * CALLS);
}
