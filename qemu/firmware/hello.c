/* Says three lines and sleeps. */
#include "announce.h"
#include "trace.h"
#include "uart1.h"

static void say(const struct line *line) {
    trace_line(line);
    uart1_line(line);
}

static void say_count(uint32_t number) {
    struct line line;

    line_begin(&line);
    line_add(&line, "hello: line ");
    line_add_decimal(&line, number);
    line_add(&line, " of 3");
    say(&line);
}

int main(void) {
    struct line line;

    announce(&line, "hello");
    say(&line);
    say_count(2);
    say_count(3);
    return 0;
}
