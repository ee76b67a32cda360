/* UART1, the console both real-time cores share. */
#ifndef UART1_H
#define UART1_H

#include "line.h"

/* Writes a line, ended by CR LF, in one piece: no other core's text comes in between. */
void uart1_line(const struct line *line);

#endif
