/*
 * The bell of a board whose mailbox is Arm's message handling unit (Linux's
 * arm_mhu.c). Its registers are plain memory here, so this core does what the
 * hardware would: what is written to CLEAR goes from STATUS, and the line falls.
 */
#include "doorbell.h"

#include "delay.h"
#include "memory_map.h"
#include "mmio.h"
#include "pl011.h"

/* Linux's `rx`: channel 1, in its direction. Linux's `tx`: channel 0, in ours. */
#define TO_LINUX   (OCM_MHU + 0x20)
#define FROM_LINUX (OCM_MHU + 0x100)

enum mhu_register { MHU_STATUS = 0x0, MHU_SET = 0x8, MHU_CLEAR = 0x10 };

/* Linux answers in microseconds, on a busy host in milliseconds. It never does once it has closed the
 * mailbox. */
#define PATIENCE_MS 1000

void doorbell_ring(void) {
    uint32_t start = delay_now();

    write32(TO_LINUX + MHU_CLEAR, 0);
    write32(TO_LINUX + MHU_STATUS, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* The transmit interrupt has been pending since the first character: unmasking it raises the line. */
    write32(UART1 + PL011_IMSC, PL011_IMSC_TX);
    while (!read32(TO_LINUX + MHU_CLEAR) && delay_elapsed_ms(start) < PATIENCE_MS)
        continue;
    /* The line first: Linux finds a reason for every interrupt. */
    write32(UART1 + PL011_IMSC, 0);
    write32(TO_LINUX + MHU_STATUS, 0);
}

uint32_t doorbell_heard(void) {
    static uint32_t heard;

    /* Linux's driver writes the number of the ring, which is 0 for the ring that only gives buffers back. */
    if (read32(FROM_LINUX + MHU_SET)) {
        write32(FROM_LINUX + MHU_SET, 0);
        heard++;
    }
    return heard;
}
