#include "trace.h"
#include "uart1.h"
#include "watchdog.h"

/* Weak: a firmware without a trace buffer does not get one for its exceptions' sake. */
#pragma weak trace_line

static const char *const kinds[] = {
    "undefined instruction", "supervisor call", "prefetch abort", "data abort", "interrupt", "fast interrupt",
};

void exception(uint32_t kind, uint32_t address);

/* Called by start.S for every exception; the core sleeps afterwards. */
void exception(uint32_t kind, uint32_t address) {
    struct line line;

    line_begin(&line);
    line_add(&line, kinds[kind]);
    line_add(&line, " at ");
    line_add_hexadecimal(&line, address);
    if (trace_line)
        trace_line(&line);
    uart1_line(&line);
    watchdog_bite();
}
