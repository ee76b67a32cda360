/* A call may change its results and no other register of its caller's, whatever the monitor's own code needs.
 */
#include "registers.h"

#include "checks.h"
#include "verdict.h"

#define GENERAL 31
#define VECTORS 32

/* The layout that start.S knows. */
struct registers {
    uint64_t x[GENERAL];
    uint64_t sp;
    uint64_t flags;
    uint64_t unused;
    uint64_t v[2 * VECTORS];
};

struct witness {
    struct registers before;
    struct registers after;
};

_Static_assert(sizeof(struct registers) == 784, "start.S has the numbers");

void smc_witnessed(struct witness *witness);

/* Both halves tell a register from every other. */
static uint64_t pattern(unsigned int number) {
    return (0xa5a5a5a5u - number) * 0x100000000u + 0x01010101u * (number + 1);
}

static uint64_t changed(const struct witness *witness, unsigned int results) {
    uint64_t found = witness->after.flags != witness->before.flags;

    for (unsigned int i = results; i < GENERAL; i++)
        found |= (uint64_t)(witness->after.x[i] != witness->before.x[i]) << i;
    found |= (uint64_t)(witness->after.sp != witness->before.sp) << GENERAL;
    for (unsigned int i = 0; i < 2 * VECTORS; i++)
        found |= (uint64_t)(witness->after.v[i] != witness->before.v[i]) << (GENERAL + 1 + i / 2);
    return found;
}

struct witnessed call_witnessed(const uint64_t call[4], unsigned int results) {
    static struct witness witness;

    for (unsigned int i = 0; i < GENERAL; i++)
        witness.before.x[i] = i < 4 ? call[i] : pattern(i);
    for (unsigned int i = 0; i < 2 * VECTORS; i++)
        witness.before.v[i] = pattern(GENERAL + i);
    witness.before.flags = 0x90000000u; /* N and V: no comparison of equal numbers leaves them */
    smc_witnessed(&witness);
    return (struct witnessed){.reply = witness.after.x[0], .changed = changed(&witness, results)};
}

#define PM(api)           (0xc2000000u | (api))
#define TFA(api)          (0xc2000a00u | (api))
#define MAILBOX(function) (0x82001000u | (function))

#define CORE0 0x18110005u

/* EEMI answers in x0 and x1, everything else in x0. */
static const struct {
    const char *name;
    unsigned int results;
    uint64_t call[4];
} calls[] = {
    {"an unknown call", 1, {0, 77, 78, 79}},
    {"get api version", 2, {PM(1), 0, 0, 0}},
    {"get node status", 2, {PM(3), CORE0, 0, 0}},
    {"register notifier", 2, {PM(5), CORE0, 0, 0}},
    {"request wakeup", 2, {PM(10), CORE0 | 1ull << 32, 0, 0}},
    {"force powerdown", 2, {PM(8), CORE0 | 1ull << 32, 0, 0}},
    {"request node", 2, {PM(13), CORE0 | 1ull << 32, 0, 0}},
    {"release node", 2, {PM(14), CORE0, 0, 0}},
    {"set requirement", 2, {PM(15), CORE0, 0, 0}},
    {"init finalize", 2, {PM(21), 0, 0, 0}},
    {"get chipid", 2, {PM(24), 0, 0, 0}},
    {"get mode", 2, {PM(34), CORE0, 0, 0}},
    {"set mode", 2, {PM(34), CORE0 | 1ull << 32, 1, 0}},
    {"feature check", 2, {PM(63), 34, 0, 0}},
    {"an unknown eemi call", 2, {PM(0xff), 0, 0, 0}},
    {"get trustzone version", 2, {TFA(3), 0, 0, 0}},
    {"register sgi", 2, {TFA(4), 15, 0, 0}},
    {"mailbox open", 1, {MAILBOX(0), 2, 4, 0}},
    {"mailbox status", 1, {MAILBOX(2), 2, 4, 1}},
    {"mailbox notify", 1, {MAILBOX(3), 2, 4, 0}},
    {"mailbox ack", 1, {MAILBOX(4), 2, 4, 1}},
    {"mailbox release", 1, {MAILBOX(1), 2, 4, 0}},
    {"a mailbox of nobody", 1, {MAILBOX(0), 2, 99, 0}},
};

void check_registers(void) {
    for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct witnessed made = call_witnessed(calls[i].call, calls[i].results);

        expect_about("registers survive ", calls[i].name, (int64_t)made.changed, 0);
    }
}
