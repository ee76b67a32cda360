/* The trace buffer Linux shows as trace0; linking this module brings the resource table. */
#ifndef TRACE_H
#define TRACE_H

#include "line.h"

/* Adds a line, ended by a newline; a full buffer is overwritten from its start. */
void trace_line(const struct line *line);

#endif
