/*
 * Monitors that break their word, for tests of the tests: each is built from
 * the same objects and a variant.c compiled with its define.
 */
#ifndef VARIANT_H
#define VARIANT_H

#include <stdbool.h>

extern const bool variant_wakeup_lies;    /* acknowledges REQUEST_WAKEUP and starts nothing */
extern const bool variant_powerdown_lies; /* acknowledges FORCE_POWERDOWN and stops nothing */
extern const bool variant_never_returns;  /* hangs before Linux is entered */

#endif
