/* Reads where no memory is; the data abort handler reports it. */
#include "announce.h"
#include "mmio.h"
#include "trace.h"
#include "uart1.h"

#define UNMAPPED 0x90000000

int main(void) {
    struct line line;

    announce(&line, "fault");
    trace_line(&line);
    uart1_line(&line);
    return (int)read32(UNMAPPED);
}
