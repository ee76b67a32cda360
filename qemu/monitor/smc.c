#include "smc.h"

#include <stdbool.h>

#include "eemi.h"
#include "imx_sip.h"
#include "lock.h"
#include "mailbox.h"
#include "soc.h"
#include "stm32_rcc.h"

/* Arm DEN 0028, "unknown SMC function identifier". */
#define SMC_UNKNOWN (-1)

/* Fast 64-bit SiP calls, bits 11:8 the module and 7:0 the API (PM_SIP_SVC in Linux's zynqmp.c). */
#define EEMI_CALLS     0xc2000000u
#define EEMI_CALL_MASK 0xfffff000u

/* Fast 32-bit SiP calls (SMC_IPI_MAILBOX_* in Linux's zynqmp-ipi-mailbox.c). */
#define MAILBOX_CALLS     0x82001000u
#define MAILBOX_CALL_MASK 0xffffff00u

static struct lock calls;

/* EEMI packs two 32-bit values into each register, the first in the low half. */
static void serve_eemi(struct smc_frame *frame) {
    uint32_t function = (uint32_t)frame->x[0];
    struct eemi_call call = {
        .module = (function >> 8) & 0xf,
        .api = function & 0xff,
        .argument = {(uint32_t)frame->x[1], (uint32_t)(frame->x[1] >> 32), (uint32_t)frame->x[2]},
    };
    struct eemi_reply reply = {.status = EEMI_NO_FEATURE};

    eemi_serve(&call, &reply);
    frame->x[0] = reply.status | (uint64_t)reply.payload[0] << 32;
    frame->x[1] = reply.payload[1] | (uint64_t)reply.payload[2] << 32;
}

static void serve_mailbox(struct smc_frame *frame) {
    struct mailbox_call call = {
        .function = (uint32_t)frame->x[0] & ~MAILBOX_CALL_MASK,
        .local = (uint32_t)frame->x[1],
        .remote = (uint32_t)frame->x[2],
        .flags = (uint32_t)frame->x[3],
    };

    frame->x[0] = (uint64_t)(int64_t)mailbox_serve(&call);
}

static bool serve_versal(struct smc_frame *frame) {
    uint32_t function = (uint32_t)frame->x[0];

    if ((function & EEMI_CALL_MASK) == EEMI_CALLS)
        serve_eemi(frame);
    else if ((function & MAILBOX_CALL_MASK) == MAILBOX_CALLS)
        serve_mailbox(frame);
    else
        return false;
    return true;
}

/* The vendors' numbers overlap: only the SoC tells whose a call is. */
static bool serve(struct smc_frame *frame) {
    switch (soc_detected()) {
    case SOC_VERSAL:
        return serve_versal(frame);
    case SOC_IMX8MN:
        return imx_sip_serve(frame);
    case SOC_STM32MP1:
        return stm32_rcc_serve(frame);
    }
    return false;
}

void smc_handle(struct smc_frame *frame) {
    lock_take(&calls);
    if (!serve(frame))
        frame->x[0] = (uint64_t)SMC_UNKNOWN;
    lock_release(&calls);
}
