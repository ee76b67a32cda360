/*
 * Says that it runs, and sleeps. It says so on the core's console, and in the trace buffer that Linux reads.
 * Nothing of the rig's own firmware is in it.
 */
#include <stdint.h>

#define UART1_DR (*(volatile uint32_t *)0xff010000)
#define UART1_FR (*(volatile uint32_t *)0xff010018)
#define FR_FULL  (1u << 5)

#define TRACE_SIZE 1024

/* The rig writes a fresh text here before each upload, so that only this upload can say it. */
__attribute__((section(".nonce"), used)) static const volatile char nonce[32] = "unset";

static volatile char trace[TRACE_SIZE];
static uint32_t written;

/* What Linux is asked for: one trace buffer (include/linux/remoteproc.h). */
struct resource_table {
    uint32_t version;
    uint32_t entries;
    uint32_t reserved[2];
    uint32_t offset;
    struct {
        uint32_t type;
        uint32_t address;
        uint32_t length;
        uint32_t reserved;
        char name[32];
    } trace;
};

__attribute__((section(".resource_table"), used)) static const struct resource_table table = {
    .version = 1,
    .entries = 1,
    .offset = __builtin_offsetof(struct resource_table, trace),
    .trace = {.type = 2, .address = (uint32_t)trace, .length = TRACE_SIZE, .name = "trace0"},
};

static void put(char character) {
    while (UART1_FR & FR_FULL)
        continue;
    UART1_DR = (uint32_t)character;
    trace[written++ % TRACE_SIZE] = character;
}

static void say(const volatile char *text) {
    while (*text)
        put(*text++);
}

__attribute__((used)) static void run(void) {
    say("core0 motor boot=1 nonce=");
    say(nonce);
    put('\n');
    say("core0 motor: ready\n");
}

__attribute__((section(".vectors"), naked, used)) void reset(void);
void reset(void) {
    __asm__ volatile("ldr sp, =0x1fff0\n\tbl run\n1:\twfi\n\tb 1b");
}
