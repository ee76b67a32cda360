#include "verdict.h"

#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"

static unsigned int passed;
static unsigned int failed;

static void say(const char *text) {
    for (; *text; text++)
        write32(UART0 + PL011_DR, (uint32_t)*text);
}

static void say_number(int64_t number) {
    char digits[20];
    unsigned int count = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    if (number < 0)
        say("-");
    do
        digits[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    while (count > 0)
        write32(UART0 + PL011_DR, (uint32_t)digits[--count]);
}

void expect(const char *name, int64_t got, int64_t wanted) {
    expect_about(name, "", got, wanted);
}

void expect_about(const char *name, const char *subject, int64_t got, int64_t wanted) {
    if (got == wanted) {
        passed++;
        say("ok ");
        say(name);
        say(subject);
    } else {
        failed++;
        say("FAILED ");
        say(name);
        say(subject);
        say(": ");
        say_number(got);
        say(", not ");
        say_number(wanted);
    }
    say("\r\n");
}

void verdict_summary(void) {
    say("selftest: ");
    say_number(passed);
    say(" passed, ");
    say_number(failed);
    say(" failed\r\n");
}
