#include "cores.h"

#include "call.h"
#include "clock.h"
#include "crl.h"
#include "memory_map.h"
#include "mmio.h"

#define GET_NODE_STATUS 0xc2000003u
#define FORCE_POWERDOWN 0xc2000008u
#define REQUEST_WAKEUP  0xc200000au
#define RPU0_0          0x18110005u
#define AFFINITY_INFO   0xc4000004u
#define R5_MPIDR        0x100u

/* Above a core's vectors. */
#define STARTS 0x1000
#define BEATS  0x1004

/* Calls until a core obeys in time. */
#define CALLS 5

/* How long a core may take to be seen, and how long one is watched that must stand still. */
#define PATIENCE_US 10000000
#define WATCH_US    1000

/* Once one has not been seen within its time, the run has failed: the others are not waited for as long. */
#define LOST_US 100000
static uint64_t patience = PATIENCE_US;

/* After so many beats no request is under way: it would have stopped the core. */
#define ESCAPES    100
#define ESCAPE_US  100000
#define MANY_BEATS 10000

static const uintptr_t vectors[CORES] = {CORE0_VECTORS, CORE1_VECTORS};

static void place(unsigned int core, const uint32_t *tail, unsigned int words) {
    /* R5: add one to the word at STARTS. */
    static const uint32_t head[] = {
        0xe24f0008, /* sub r0, pc, #8: the vectors' address */
        0xe2800a01, /* add r0, r0, #STARTS */
        0xe5901000, /* ldr r1, [r0] */
        0xe2811001, /* add r1, r1, #1 */
        0xe5801000, /* str r1, [r0] */
    };
    uintptr_t code = vectors[core];

    for (unsigned int i = 0; i < sizeof(head) / sizeof(head[0]); i++, code += 4)
        write32(code, head[i]);
    for (unsigned int i = 0; i < words; i++, code += 4)
        write32(code, tail[i]);
    write32(vectors[core] + STARTS, 0);
    write32(vectors[core] + BEATS, 0);
}

void core_place_sleeper(unsigned int core) {
    static const uint32_t tail[] = {
        0xe320f003, /* wfi */
        0xeafffffd, /* b the wfi */
    };

    place(core, tail, sizeof(tail) / sizeof(tail[0]));
}

void core_place_runner(unsigned int core) {
    static const uint32_t tail[] = {
        0xe5901004, /* ldr r1, [r0, #4] */
        0xe2811001, /* add r1, r1, #1 */
        0xe5801004, /* str r1, [r0, #4] */
        0xeafffffb, /* b the ldr */
    };

    place(core, tail, sizeof(tail) / sizeof(tail[0]));
}

uint32_t core_starts(unsigned int core) {
    return read32(vectors[core] + STARTS);
}

uint32_t core_beats(unsigned int core) {
    return read32(vectors[core] + BEATS);
}

uint32_t core_await_starts(unsigned int core, uint32_t wanted) {
    uint64_t begun = clock_microseconds();

    while (core_starts(core) != wanted && clock_microseconds() - begun < patience)
        continue;
    if (core_starts(core) != wanted)
        patience = LOST_US;
    return core_starts(core);
}

bool core_beats_on(unsigned int core, bool expected) {
    uint32_t before = core_beats(core);
    uint64_t begun = clock_microseconds(), limit = expected ? patience : WATCH_US;

    while (core_beats(core) == before && clock_microseconds() - begun < limit)
        continue;
    if (expected && core_beats(core) == before)
        patience = LOST_US;
    return core_beats(core) != before;
}

uint32_t core_try_to_wake(unsigned int core) {
    return eemi_status(REQUEST_WAKEUP, RPU0_0 + core, 1, 0);
}

uint32_t core_try_to_power_down(unsigned int core) {
    return eemi_status(FORCE_POWERDOWN, RPU0_0 + core, 1, 0);
}

static uint32_t insist(uint32_t (*call)(unsigned int core), unsigned int core) {
    uint32_t status = NOT_IN_TIME;

    for (unsigned int i = 0; i < CALLS && status == NOT_IN_TIME; i++)
        status = call(core);
    return status;
}

uint32_t core_wake(unsigned int core) {
    return insist(core_try_to_wake, core);
}

uint32_t core_power_down(unsigned int core) {
    return insist(core_try_to_power_down, core);
}

uint32_t core_state(unsigned int core) {
    return eemi_payload(GET_NODE_STATUS, RPU0_0 + core, 0, 0);
}

bool core_is_on(unsigned int core) {
    return psci(AFFINITY_INFO, R5_MPIDR + core, 0, 0) == 0;
}

void core_reset_line(unsigned int core, bool held) {
    uint32_t others = read32(CRL_RST_CPU_R5) & ~(1u << core);

    write32(CRL_RST_CPU_R5, others | (uint32_t)held << core);
}

/* QEMU drops the rising edge while the falling one's start is under way. */
bool core_escape(unsigned int core) {
    core_place_runner(core);
    for (unsigned int attempt = 0; attempt < ESCAPES; attempt++) {
        uint64_t begun = clock_microseconds();
        uint32_t beats;

        core_reset_line(core, false);
        core_reset_line(core, true);
        beats = core_beats(core);
        while (clock_microseconds() - begun < ESCAPE_US)
            if (core_beats(core) - beats > MANY_BEATS)
                return true;
    }
    return false;
}

void core_capture(unsigned int core) {
    core_reset_line(core, false);
    core_reset_line(core, true);
    while (core_is_on(core))
        continue;
}
