#include "interrupts.h"

#include "checks.h"
#include "clock.h"
#include "memory_map.h"
#include "mmio.h"
#include "verdict.h"

/* Register offsets and bits of Arm IHI 0069 (GICv3), non-secure view. */
#define GICD_CTLR        0x0000
#define GICD_CTLR_GROUP1 ((1u << 4) | (1u << 1)) /* ARE_NS and EnableGrp1A */
#define GICD_ISENABLER   0x0100
#define GICD_ICENABLER   0x0180
#define GICD_SPI_WORDS   6

#define GICR_WAKER                 0x0014
#define GICR_WAKER_CHILDREN_ASLEEP (1u << 2)
#define GICR_ISENABLER0            0x10100
#define GICR_ICENABLER0            0x10180

#define ICC_SRE_EL2     "S3_4_C12_C9_5"
#define ICC_PMR_EL1     "S3_0_C4_C6_0"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"
#define ICC_SGI1R_EL1   "S3_0_C12_C11_5"
#define ICC_IAR1_EL1    "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1   "S3_0_C12_C12_1"

#define NONE        1023u
#define PATIENCE_US 10000000

static uintptr_t redistributor(unsigned int cpu) {
    return GIC_REDISTRIBUTORS + cpu * GIC_REDISTRIBUTOR_SIZE;
}

void interrupts_begin(unsigned int cpu) {
    __asm__ volatile("msr " ICC_SRE_EL2 ", %0\n\tisb\n\t"
                     "msr " ICC_PMR_EL1 ", %1\n\t"
                     "msr " ICC_IGRPEN1_EL1 ", %2\n\tisb"
                     :
                     : "r"(0xful), "r"(0xfful), "r"(1ul));
    write32(GIC_DISTRIBUTOR + GICD_CTLR, GICD_CTLR_GROUP1);
    write32(redistributor(cpu) + GICR_ISENABLER0, 1u << INTERRUPT_SENT);
}

/* Interrupts of the secure world read as zero and ignore writes. */
uint32_t interrupts_withheld(unsigned int cpu) {
    uint32_t ours;

    write32(redistributor(cpu) + GICR_ISENABLER0, ~0u);
    ours = read32(redistributor(cpu) + GICR_ISENABLER0);
    write32(redistributor(cpu) + GICR_ICENABLER0, ~(1u << INTERRUPT_SENT));
    return ~ours;
}

void interrupts_send(unsigned int cpu) {
    __asm__ volatile("dsb sy\n\tmsr " ICC_SGI1R_EL1 ", %0\n\tisb"
                     :
                     : "r"((uint64_t)INTERRUPT_SENT << 24 | 1ul << cpu));
}

uint32_t interrupts_taken(void) {
    uint64_t begun = clock_microseconds(), number;

    do
        __asm__ volatile("mrs %0, " ICC_IAR1_EL1 : "=r"(number));
    while (number == NONE && clock_microseconds() - begun < PATIENCE_US);
    if (number != NONE)
        __asm__ volatile("msr " ICC_EOIR1_EL1 ", %0\n\tisb" : : "r"(number));
    return (uint32_t)number;
}

static uint32_t withheld_shared(unsigned int word) {
    uint32_t ours;

    write32(GIC_DISTRIBUTOR + GICD_ISENABLER + 4 * word, ~0u);
    ours = read32(GIC_DISTRIBUTOR + GICD_ISENABLER + 4 * word);
    write32(GIC_DISTRIBUTOR + GICD_ICENABLER + 4 * word, ~0u);
    return ~ours;
}

void check_interrupts(void) {
    expect("redistributor 0 is awake", read32(redistributor(0) + GICR_WAKER) & GICR_WAKER_CHILDREN_ASLEEP, 0);
    expect("redistributor 1 is awake", read32(redistributor(1) + GICR_WAKER) & GICR_WAKER_CHILDREN_ASLEEP, 0);
    for (unsigned int word = 1; word <= GICD_SPI_WORDS; word++)
        expect("shared interrupts are Linux's", withheld_shared(word), 0);
    interrupts_begin(0);
    expect("private interrupts are Linux's", interrupts_withheld(0), 0);
    interrupts_send(0);
    expect("an interrupt arrives", interrupts_taken(), INTERRUPT_SENT);
}
