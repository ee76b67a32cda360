#include "call.h"
#include "checks.h"
#include "verdict.h"

#define SYSTEM_OFF 0x84000008u

_Noreturn void selftest_main(void);

_Noreturn void selftest_main(void) {
    check_unknown_calls();
    check_eemi();
    check_power();
    check_unsettled();
    check_registers();
    check_mailboxes();
    check_interrupts();
    check_both_processors();
    verdict_summary();
    psci(SYSTEM_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}
