#include <stdint.h>

#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"
#include "psci.h"

static void say(const char *text) {
    for (; *text; text++)
        write32(UART0 + PL011_DR, (uint32_t)*text);
}

static void say_hexadecimal(uint64_t value) {
    say("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        write32(UART0 + PL011_DR, (uint32_t) "0123456789abcdef"[(value >> shift) & 0xf]);
}

_Noreturn void defect(uint64_t vector, uint64_t esr, uint64_t elr, uint64_t far);

/*
 * An exception nobody should have caused. UART0 is Linux's, but Linux will not
 * run again; ending QEMU beats a silent hang for whoever waits outside.
 */
_Noreturn void defect(uint64_t vector, uint64_t esr, uint64_t elr, uint64_t far) {
    say("\r\nmonitor: unexpected exception, vector ");
    say_hexadecimal(vector);
    say(" esr ");
    say_hexadecimal(esr);
    say(" elr ");
    say_hexadecimal(elr);
    say(" far ");
    say_hexadecimal(far);
    say("\r\n");
    psci_system_off();
}
