#include "mailbox.h"

#include <stdbool.h>

#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"
#include "power.h"

enum mailbox_function {
    MAILBOX_OPEN = 0,
    MAILBOX_RELEASE = 1,
    MAILBOX_STATUS_ENQUIRY = 2,
    MAILBOX_NOTIFY = 3,
    MAILBOX_ACK = 4,
    MAILBOX_ENABLE_IRQ = 5,
    MAILBOX_DISABLE_IRQ = 6,
};

/* STATUS_ENQUIRY: take the notification and disable the interrupt; ACK: enable it again. */
#define FLAG_INTERRUPT 1u

#define STATUS_RECEIVE_PENDING 2

enum { ERROR_UNKNOWN_FUNCTION = -1, ERROR_INVALID = -22 };

static bool enabled[R5_CORES];

static uintptr_t doorbell(unsigned int core) {
    return OCM_DOORBELLS + 4 * core;
}

static bool pending(unsigned int core) {
    return read32(doorbell(core)) != 0;
}

/*
 * The line is high while an enabled mailbox is pending. A core sets its word
 * before it unmasks, so masking before the words are read loses no ring: either
 * the word is seen here, or the core's unmasking comes after this masking.
 */
static void drive_line(void) {
    bool high = false;

    write32(UART1 + PL011_IMSC, 0);
    for (unsigned int core = 0; core < R5_CORES; core++)
        high |= enabled[core] && pending(core);
    if (high)
        write32(UART1 + PL011_IMSC, PL011_IMSC_TX);
}

/*
 * Linux asks with the flag from its interrupt handler alone; that takes the
 * notification. Taking it at ACK would lose the next one: 6.12's mailbox core
 * may acknowledge after it has arrived. Without the flag Linux only polls for
 * the end of its own transmission, which must take nothing.
 */
static int32_t enquire(unsigned int core, bool from_interrupt) {
    if (!pending(core))
        return 0;
    if (from_interrupt) {
        write32(doorbell(core), 0);
        enabled[core] = false;
    }
    return STATUS_RECEIVE_PENDING;
}

/* Cores have no interrupt: one that waits for Linux polls its memory, or this count. */
static void notify(unsigned int core) {
    write32(OCM_KICKS + 4 * core, read32(OCM_KICKS + 4 * core) + 1);
}

static int32_t serve(const struct mailbox_call *call, unsigned int core) {
    switch ((enum mailbox_function)call->function) {
    case MAILBOX_OPEN:
    case MAILBOX_RELEASE:
        /* Neither side may see what was rung before: forget it. */
        write32(doorbell(core), 0);
        enabled[core] = false;
        return 0;
    case MAILBOX_STATUS_ENQUIRY:
        return enquire(core, call->flags & FLAG_INTERRUPT);
    case MAILBOX_NOTIFY:
        notify(core);
        return 0;
    case MAILBOX_ACK:
        if (call->flags & FLAG_INTERRUPT)
            enabled[core] = true;
        return 0;
    case MAILBOX_ENABLE_IRQ:
        enabled[core] = true;
        return 0;
    case MAILBOX_DISABLE_IRQ:
        enabled[core] = false;
        return 0;
    }
    return ERROR_UNKNOWN_FUNCTION;
}

void mailbox_reset(void) {
    for (unsigned int core = 0; core < R5_CORES; core++) {
        write32(doorbell(core), 0);
        enabled[core] = false;
    }
    drive_line();
}

int32_t mailbox_serve(const struct mailbox_call *call) {
    int32_t result;

    if (call->local != MAILBOX_AGENT_LINUX || call->remote - MAILBOX_AGENT_R5 >= R5_CORES)
        return ERROR_INVALID;
    if (call->flags & ~FLAG_INTERRUPT)
        return ERROR_INVALID;
    result = serve(call, call->remote - MAILBOX_AGENT_R5);
    drive_line();
    return result;
}
