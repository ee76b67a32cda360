#include "trace.h"

/* Linux clears the bank at each start, so the text ends at the first NUL until the ring is full. */
volatile char trace_buffer[TRACE_SIZE];
static uint32_t written;

/* A buffer nobody tells Linux of is of no use: the firmware's own table, or the archive's, is linked with it.
 */
extern const char resource_table[];
__attribute__((used)) static const char *const described_by = resource_table;

static void put(char character) {
    trace_buffer[written++ % TRACE_SIZE] = character;
}

void trace_line(const struct line *line) {
    for (size_t i = 0; i < line->length; i++)
        put(line->text[i]);
    put('\n');
}
