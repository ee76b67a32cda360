#include "gic.h"

#include "memory_map.h"
#include "mmio.h"

/* Register offsets and bits of Arm IHI 0069 (GICv3), secure view. */
#define GICD_CTLR            0x0000
#define GICD_CTLR_ARE_S      (1u << 4)
#define GICD_CTLR_ARE_NS     (1u << 5)
#define GICD_CTLR_ALL_GROUPS 0x7u
#define GICD_IGROUPR         0x0080
#define GICD_IGRPMODR        0x0d00
#define GICD_SPI_WORDS       6 /* 192 shared interrupts, 32 per word, after word 0 */

#define GICR_WAKER       0x0014
#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_IGROUPR0    0x10080 /* in the SGI frame */
#define GICR_IGRPMODR0   0x10d00

#define A72_CORES 2

static void hand_over_shared_interrupts(void) {
    /* Affinity routing first, groups second: ARE may only change while the groups are off. */
    write32(GIC_DISTRIBUTOR + GICD_CTLR, GICD_CTLR_ARE_S | GICD_CTLR_ARE_NS);
    write32(GIC_DISTRIBUTOR + GICD_CTLR, GICD_CTLR_ARE_S | GICD_CTLR_ARE_NS | GICD_CTLR_ALL_GROUPS);
    for (unsigned int word = 1; word <= GICD_SPI_WORDS; word++) {
        /* Group 1 with modifier 0 is non-secure group 1: Linux's. */
        write32(GIC_DISTRIBUTOR + GICD_IGROUPR + 4 * word, ~0u);
        write32(GIC_DISTRIBUTOR + GICD_IGRPMODR + 4 * word, 0);
    }
}

static void hand_over_private_interrupts(uintptr_t redistributor) {
    uint32_t waker = read32(redistributor + GICR_WAKER);

    /* A sleeping redistributor forwards nothing, and its wake bit is the secure world's. QEMU's wakes at
     * once. */
    write32(redistributor + GICR_WAKER, waker & ~GICR_WAKER_SLEEP);
    write32(redistributor + GICR_IGROUPR0, ~0u);
    write32(redistributor + GICR_IGRPMODR0, 0);
}

void gic_hand_over(void) {
    hand_over_shared_interrupts();
    /* Core 1 is still off; PSCI starts it at EL2, past any chance to do this itself. */
    for (unsigned int core = 0; core < A72_CORES; core++)
        hand_over_private_interrupts(GIC_REDISTRIBUTORS + core * GIC_REDISTRIBUTOR_SIZE);
}
