/* The mailbox calls, with this payload in the ringing core's place too. */
#include "call.h"
#include "checks.h"
#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"
#include "verdict.h"

enum { OPEN, RELEASE, STATUS_ENQUIRY, NOTIFY, ACK, ENABLE_IRQ, DISABLE_IRQ };
enum { LINUX = 2, CORE0 = 4, CORE1 = 5 };
enum { FROM_INTERRUPT = 1, PENDING = 2, UNKNOWN_FUNCTION = -1, INVALID = -22 };

static int line(void) {
    return (read32(UART1 + PL011_MIS) & PL011_IMSC_TX) != 0;
}

/* What a core does to notify Linux. */
static void ring(unsigned int core) {
    write32(OCM_DOORBELLS + 4 * core, 1);
    write32(UART1 + PL011_IMSC, PL011_IMSC_TX);
}

static void check_arguments(void) {
    expect("mailbox function out of range", mailbox(7, LINUX, CORE0, 0), UNKNOWN_FUNCTION);
    expect("unknown local agent", mailbox(OPEN, 3, CORE0, 0), INVALID);
    expect("unknown remote agent", mailbox(OPEN, LINUX, 6, 0), INVALID);
    expect("remote agent below range", mailbox(OPEN, LINUX, 3, 0), INVALID);
    expect("remote agent far out of range", mailbox(OPEN, LINUX, ~0u, 0), INVALID);
    expect("unknown flags", mailbox(STATUS_ENQUIRY, LINUX, CORE0, 2), INVALID);
}

static void check_receive(void) {
    mailbox(OPEN, LINUX, CORE0, 0);
    mailbox(OPEN, LINUX, CORE1, 0);
    expect("nothing pending", mailbox(STATUS_ENQUIRY, LINUX, CORE0, FROM_INTERRUPT), 0);
    mailbox(ENABLE_IRQ, LINUX, CORE0, 0);
    expect("line is low", line(), 0);
    ring(0);
    expect("line is high", line(), 1);
    expect("a poll sees it", mailbox(STATUS_ENQUIRY, LINUX, CORE0, 0), PENDING);
    expect("line stays high", line(), 1);
    expect("the other mailbox does not", mailbox(STATUS_ENQUIRY, LINUX, CORE1, FROM_INTERRUPT), 0);
    expect("the interrupt takes it", mailbox(STATUS_ENQUIRY, LINUX, CORE0, FROM_INTERRUPT), PENDING);
    expect("once", mailbox(STATUS_ENQUIRY, LINUX, CORE0, FROM_INTERRUPT), 0);
    expect("line is low again", line(), 0);
}

/* Follows check_receive: core 0's notification is taken and not acknowledged. */
static void check_ring_before_acknowledge(void) {
    ring(0);
    mailbox(STATUS_ENQUIRY, LINUX, CORE1, FROM_INTERRUPT);
    expect("disabled until acknowledged", line(), 0);
    mailbox(ACK, LINUX, CORE0, 0);
    expect("an acknowledge without the flag enables nothing", line(), 0);
    mailbox(ACK, LINUX, CORE0, FROM_INTERRUPT);
    expect("the second ring is not lost", line(), 1);
    mailbox(DISABLE_IRQ, LINUX, CORE0, 0);
    expect("disable lowers the line", line(), 0);
    mailbox(RELEASE, LINUX, CORE0, 0);
    mailbox(ENABLE_IRQ, LINUX, CORE0, 0);
    expect("release forgets", line(), 0);
}

static void check_both(void) {
    mailbox(ENABLE_IRQ, LINUX, CORE1, 0);
    ring(0);
    ring(1);
    expect("core 0 pending", mailbox(STATUS_ENQUIRY, LINUX, CORE0, FROM_INTERRUPT), PENDING);
    expect("line high for core 1", line(), 1);
    expect("core 1 pending", mailbox(STATUS_ENQUIRY, LINUX, CORE1, FROM_INTERRUPT), PENDING);
    expect("line low after both", line(), 0);
}

static void check_notify(void) {
    uint32_t before = read32(OCM_KICKS + 4);

    expect("notify core 1", mailbox(NOTIFY, LINUX, CORE1, 0), 0);
    expect("the count went up", read32(OCM_KICKS + 4) - before, 1);
    expect("nothing is ever left to send", mailbox(STATUS_ENQUIRY, LINUX, CORE1, 0), 0);
}

void check_mailboxes(void) {
    /* The transmit interrupt is raised by a first character and stays. */
    write32(UART1 + PL011_DR, '\n');
    check_arguments();
    check_receive();
    check_ring_before_acknowledge();
    check_both();
    check_notify();
}
