/* Beats ten times a second, for as long as the core runs. */
#include "announce.h"
#include "delay.h"
#include "trace.h"
#include "uart1.h"

#define PERIOD_MS 100

static void say(const struct line *line) {
    trace_line(line);
    uart1_line(line);
}

int main(void) {
    uint32_t start = delay_now();
    struct line line;

    announce(&line, "heartbeat");
    say(&line);
    for (uint32_t beat = 1;; beat++) {
        delay_until_ms(start, PERIOD_MS);
        start = delay_now();
        line_begin(&line);
        line_add(&line, "beat=");
        line_add_decimal(&line, beat);
        say(&line);
    }
}
