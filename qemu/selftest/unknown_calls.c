/* Function identifiers the monitor does not have. */
#include "call.h"
#include "checks.h"
#include "verdict.h"

void check_unknown_calls(void) {
    expect("function 0 is unknown", (int64_t)smc(0, 0, 0, 0).x[0], -1);
    expect("all ones is unknown", (int64_t)smc(~0ull, ~0ull, ~0ull, ~0ull).x[0], -1);
    expect("psci by smc is unknown", (int64_t)smc(0x84000000u, 0, 0, 0).x[0], -1);
    expect("past eemi is unknown", (int64_t)smc(0xc2001000u, 0, 0, 0).x[0], -1);
    expect("32-bit eemi is unknown", (int64_t)smc(0x82000001u, 0, 0, 0).x[0], -1);
    expect("past the mailboxes is unknown", (int64_t)smc(0x82001100u, 2, 4, 0).x[0], -1);
    expect("an unknown call keeps x1", (int64_t)smc(0, 77, 0, 0).x[1], 77);
}
