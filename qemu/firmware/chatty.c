/* Fills its trace buffer again and again: about 4 KiB of short bursts each second. */
#include "announce.h"
#include "delay.h"
#include "trace.h"
#include "uart1.h"

#define PERIOD_MS       20
#define LINES_PER_BURST 3

static void say_line(uint32_t number) {
    struct line line;

    line_begin(&line);
    line_add(&line, "chatty ");
    line_add_decimal(&line, number);
    line_add(&line, " ........");
    trace_line(&line);
}

int main(void) {
    uint32_t number = 0;
    struct line line;

    announce(&line, "chatty");
    trace_line(&line);
    uart1_line(&line);
    for (;;) {
        uint32_t start = delay_now();

        for (unsigned int i = 0; i < LINES_PER_BURST; i++)
            say_line(++number);
        delay_until_ms(start, PERIOD_MS);
    }
}
