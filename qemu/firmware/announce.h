/* The first line every working firmware says. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "line.h"

/* "CORE FIRMWARE boot=N nonce=TEXT" */
void announce(struct line *line, const char *firmware);

#endif
