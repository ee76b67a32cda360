#include "uart1_lock.h"

#include <stdbool.h>
#include <stdint.h>

#include "crl.h"
#include "delay.h"
#include "identity.h"
#include "memory_map.h"
#include "mmio.h"

/* Longer than any line takes, unless nobody reads the console and the UART stands still. */
#define PATIENCE_MS 1000

static uint32_t *const word = (uint32_t *)OCM_UART1_LOCK;

/* The word is this core's own only when its previous life was stopped with it. */
static bool abandoned(uint32_t holder) {
    return holder == identity_index + 1 || (read32(CRL_RST_CPU_R5) & (1u << (holder - 1)));
}

enum uart1_lock uart1_lock_take(void) {
    uint32_t start = delay_now();

    for (;;) {
        uint32_t holder = 0;
        uint32_t mine = identity_index + 1;

        if (__atomic_compare_exchange_n(word, &holder, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return UART1_LOCK_FREE;
        if (abandoned(holder) || delay_elapsed_ms(start) > PATIENCE_MS)
            if (__atomic_compare_exchange_n(word, &holder, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return UART1_LOCK_INHERITED;
    }
}

void uart1_lock_release(void) {
    uint32_t mine = identity_index + 1;

    /* Whoever lost patience holds it now and releases it itself. */
    __atomic_compare_exchange_n(word, &mine, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
