/*
 * The inter-processor mailboxes between Linux and each real-time core, as SMCs
 * (drivers/mailbox/zynqmp-ipi-mailbox.c). A core rings by setting its word at
 * OCM_DOORBELLS and unmasking UART1's transmit interrupt, the one line it can
 * raise; Linux's notifications only count up the word at OCM_KICKS.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdint.h>

/* Agent identifiers: Linux, and core n at MAILBOX_AGENT_R5 + n. */
#define MAILBOX_AGENT_LINUX 2u
#define MAILBOX_AGENT_R5    4u

struct mailbox_call {
    uint32_t function;
    uint32_t local;  /* agent identifier of the caller */
    uint32_t remote; /* agent identifier of the other side */
    uint32_t flags;
};

/* Mailboxes closed, no notification pending, the line low. */
void mailbox_reset(void);

/* Serves one call: 0 or a status bitmap, negative for what is not known. */
int32_t mailbox_serve(const struct mailbox_call *call);

#endif
