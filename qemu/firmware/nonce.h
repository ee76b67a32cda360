/*
 * A text whoever loads the firmware put into it, so that reading it back proves
 * which firmware ran: objcopy --update-section .nonce=FILE (32 bytes, NUL-padded).
 */
#ifndef NONCE_H
#define NONCE_H

#include "line.h"

void nonce_add(struct line *line);

#endif
