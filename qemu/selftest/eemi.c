/* EEMI calls that start nothing: what Linux asks at boot, and arguments out of range. */
#include "call.h"
#include "checks.h"
#include "verdict.h"

#define PM(api)  (0xc2000000u | (api))
#define TFA(api) (0xc2000a00u | (api))

#define RPU0_0  0x18110005u
#define RPU0_1  0x18110006u
#define TCM_0_A 0x1831800bu
/* JTAG's number of the xcvc1902, revision 1: what qemu/README.md promises, and Linux takes for a Versal. */
#define XCVC1902 0x14ca8093u
#define NOBODY   0x12345678u

/* Bit N for ioctl N: read the mode, set it, combine the banks. */
#define IOCTLS 0xbu

enum { INVALID_PARAMETER = 15, NO_FEATURE = 19, INVALID_NODE = 2003 };

/* The whole reply: done, two words, nothing behind them. */
static void expect_words(const char *name, uint32_t call, uint32_t argument, uint32_t first,
                         uint32_t second) {
    struct reply reply = smc(call, argument, 0, 0);

    expect_about(name, ": status", (int64_t)(reply.x[0] & ~0u), 0);
    expect_about(name, ": first word", (int64_t)(reply.x[0] >> 32), first);
    expect_about(name, ": the rest", (int64_t)reply.x[1], second);
}

static void check_identity(void) {
    expect_words("api version", PM(1), 0, 0x10000, 0);
    expect_words("trustzone version", TFA(3), 0, 0x10000, 0);
    expect_words("chip", PM(24), 0, XCVC1902, 0);
    expect_words("feature check", PM(63), 63, 2, 0);
    expect_words("node status", PM(63), 3, 2, 0);
    expect_words("chip's feature", PM(63), 24, 1, 0);
    expect_words("ioctl and its map", PM(63), 34, 2, IOCTLS);
    expect("feature by its module's number", eemi_status(PM(63), 0xa04, 0, 0), 0);
    expect("feature of another module", eemi_status(PM(63), 0x304, 0, 0), NO_FEATURE);
    expect("unserved tf-a call is no feature", eemi_status(PM(63), 0xa7f, 0, 0), NO_FEATURE);
    expect("unserved api is no feature", eemi_status(PM(63), 36, 0, 0), NO_FEATURE);
    expect("api out of range is no feature", eemi_status(PM(63), ~0u, 0, 0), NO_FEATURE);
}

static void check_unknown(void) {
    expect("unknown api", eemi_status(PM(0xff), 0, 0, 0), NO_FEATURE);
    expect("unknown module", eemi_status(0xc2000301u, 0, 0, 0), NO_FEATURE);
    expect("unknown tf-a call", eemi_status(TFA(0x7f), 0, 0, 0), NO_FEATURE);
    expect("unknown ioctl", eemi_status(PM(34), RPU0_0, 99, 0), NO_FEATURE);
    expect("sgi out of range", eemi_status(TFA(4), 16, 0, 0), INVALID_PARAMETER);
}

static void check_nodes(void) {
    expect("status of nobody", eemi_status(PM(3), NOBODY, 0, 0), INVALID_NODE);
    expect("wake nobody", eemi_status(PM(10), NOBODY, 1, 0), INVALID_NODE);
    expect("wake a memory bank", eemi_status(PM(10), TCM_0_A, 1, 0), INVALID_NODE);
    expect("power down nobody", eemi_status(PM(8), ~0u, 0, 0), INVALID_NODE);
    expect("request nobody", eemi_status(PM(13), NOBODY, 1, 0), INVALID_NODE);
    expect("release nobody", eemi_status(PM(14), 0, 0, 0), INVALID_NODE);
    expect("request a memory bank", eemi_status(PM(13), TCM_0_A, 1, 0), 0);
    expect("release a memory bank", eemi_status(PM(14), TCM_0_A, 0, 0), 0);
    expect("ioctl of a memory bank", eemi_status(PM(34), TCM_0_A, 1, 1), INVALID_NODE);
}

static void check_modes(void) {
    expect("mode out of range", eemi_status(PM(34), RPU0_0, 1, 2), INVALID_PARAMETER);
    expect("tcm mode out of range", eemi_status(PM(34), RPU0_0, 3, 2), INVALID_PARAMETER);
    expect("set lockstep", eemi_status(PM(34), RPU0_0, 1, 0), 0);
    expect("lockstep reads back", eemi_payload(PM(34), RPU0_0, 0, 0), 0);
    expect("lockstep has no core 1", eemi_status(PM(10), RPU0_1, 1, 0), 2001);
    expect("set split", eemi_status(PM(34), RPU0_1, 1, 1), 0);
    expect("split reads back", eemi_payload(PM(34), RPU0_0, 0, 0), 1);
}

void check_eemi(void) {
    check_identity();
    check_unknown();
    check_nodes();
    check_modes();
}
