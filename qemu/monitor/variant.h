/*
 * Monitors for tests alone. The first three break their word, to test the tests.
 * Each is built from the same objects and a variant.c compiled with its define.
 */
#ifndef VARIANT_H
#define VARIANT_H

#include <stdbool.h>

extern const bool variant_wakeup_lies;    /* acknowledges REQUEST_WAKEUP and starts nothing */
extern const bool variant_powerdown_lies; /* acknowledges FORCE_POWERDOWN and stops nothing */
extern const bool variant_never_returns;  /* hangs before Linux is entered */
extern const bool variant_core0_runs;     /* starts core 0 on a loop before Linux, as a boot loader may */

#endif
