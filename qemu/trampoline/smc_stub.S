// First SMC of the second A72. PSCI starts that core at EL2 with VBAR_EL3 = 0,
// so the exception arrives at 0x400. The stub points VBAR_EL3 at the monitor and
// returns to the SMC itself, which then takes the proper vector; whatever else
// traps to EL3 is retried there too. x0 waits in TPIDR_EL3, and ERET brings the
// interrupted code's flags back.
#include "memory_map.h"

    .section .stub, "ax"
    msr tpidr_el3, x0
    mov x0, #MONITOR_VECTORS
    msr vbar_el3, x0
    mrs x0, esr_el3
    lsr x0, x0, #26
    cmp x0, #0x17                       // an SMC's return address is past it,
    mrs x0, elr_el3
    b.ne 1f                             // any other trap's is the instruction
    sub x0, x0, #4
1:  msr elr_el3, x0
    mrs x0, tpidr_el3
    eret
