/* What was expected of the monitor and what it did, told on UART0. */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdint.h>

/* One line: "ok NAME", or "FAILED NAME: GOT, not WANTED". */
void expect(const char *name, int64_t got, int64_t wanted);

/* The same, with a name of two parts. */
void expect_about(const char *name, const char *subject, int64_t got, int64_t wanted);

/* The last line: how many of each. */
void verdict_summary(void);

#endif
