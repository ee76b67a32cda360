#include <stddef.h>

#include "resource_table.h"
#include "trace.h"

/* Taken from the archive only by firmware that has no table of its own. */
struct trace_table {
    struct resource_header header;
    uint32_t offset[1];
    struct resource_trace trace;
};

__attribute__((section(".resource_table"), used)) const struct trace_table resource_table = {
    .header = {.version = 1, .entries = 1},
    .offset = {offsetof(struct trace_table, trace)},
    .trace = {RESOURCE_TRACE, (uint32_t)trace_buffer, TRACE_SIZE, 0, "trace0"},
};
