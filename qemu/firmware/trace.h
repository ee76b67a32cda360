/* The trace buffer Linux shows as trace0; linking this module brings a resource table that names it. */
#ifndef TRACE_H
#define TRACE_H

#include "line.h"

#define TRACE_SIZE 4096

extern volatile char trace_buffer[TRACE_SIZE];

/* Adds a line, ended by a newline; a full buffer is overwritten from its start. */
void trace_line(const struct line *line);

#endif
