#include "uart1.h"

#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"
#include "uart1_lock.h"

static void put(char character) {
    while (read32(UART1 + PL011_FR) & PL011_FR_TX_FULL)
        continue;
    write32(UART1 + PL011_DR, (uint32_t)character);
}

static void end_line(void) {
    put('\r');
    put('\n');
}

void uart1_line(const struct line *line) {
    /* A holder that was stopped may have left half a line: end it first. */
    if (uart1_lock_take() == UART1_LOCK_INHERITED)
        end_line();
    for (size_t i = 0; i < line->length; i++)
        put(line->text[i]);
    end_line();
    uart1_lock_release();
}
