#include "trace.h"

#define TRACE_SIZE 4096

/* Linux clears the bank at each start, so the text ends at the first NUL until the ring is full. */
static volatile char buffer[TRACE_SIZE];
static uint32_t written;

/* include/linux/remoteproc.h: struct resource_table, fw_rsc_hdr and fw_rsc_trace. */
struct resource_table {
    uint32_t version;
    uint32_t entries;
    uint32_t reserved[2];
    uint32_t offset[1];
    struct {
        uint32_t type;
        uint32_t address;
        uint32_t length;
        uint32_t reserved;
        char name[32];
    } trace;
};

enum { RESOURCE_TRACE = 2 };

__attribute__((section(".resource_table"), used)) static const struct resource_table table = {
    .version = 1,
    .entries = 1,
    .offset = {offsetof(struct resource_table, trace)},
    .trace = {RESOURCE_TRACE, (uint32_t)buffer, TRACE_SIZE, 0, "trace0"},
};

static void put(char character) {
    buffer[written++ % TRACE_SIZE] = character;
}

void trace_line(const struct line *line) {
    for (size_t i = 0; i < line->length; i++)
        put(line->text[i]);
    put('\n');
}
