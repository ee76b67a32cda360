/* Both real-time cores, by the monitor's calls and by what their code leaves in memory. */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>
#include <stdint.h>

#define CORES 2

/* Code that counts its starts and then sleeps, or goes on to count for ever. */
void core_place_sleeper(unsigned int core);
void core_place_runner(unsigned int core);

uint32_t core_starts(unsigned int core);
uint32_t core_beats(unsigned int core);

/* A started core executes, and may not have done so yet: the number after a moment. */
uint32_t core_await_starts(unsigned int core, uint32_t wanted);

/* Whether the core counts on; one that is not `expected` to is watched for a moment only. */
bool core_beats_on(unsigned int core, bool expected);

/* The status of the last of some calls: on a busy host a core may not obey in time, and a call says so. */
enum { NOT_IN_TIME = 2000 };
uint32_t core_wake(unsigned int core);
uint32_t core_power_down(unsigned int core);

/* Of one call. */
uint32_t core_try_to_wake(unsigned int core);
uint32_t core_try_to_power_down(unsigned int core);

/* What the monitor says of it: RUNNING or HALTED. */
enum { RUNNING = 1, HALTED = 12 };
uint32_t core_state(unsigned int core);

/* QEMU's word on it. */
bool core_is_on(unsigned int core);

/* The reset line itself, past the monitor. */
void core_reset_line(unsigned int core, bool held);

/*
 * Makes a core run although its reset line is held, which no call of the
 * monitor's can end: whoever waits for it to stop waits in vain, until it is
 * captured. False when it does not come to that.
 */
bool core_escape(unsigned int core);
void core_capture(unsigned int core);

#endif
