#include "vring.h"

#include "mmio.h"

/* struct vring_desc: address (64 bits), length, flags, next. Each buffer of RPMsg is one descriptor. */
#define DESCRIPTOR_SIZE   16
#define DESCRIPTOR_LENGTH 8

/* struct vring_avail and vring_used: 16-bit flags and index, then the ring. */
#define RING_INDEX     2
#define RING_ENTRIES   4
#define AVAILABLE_SIZE 2
#define USED_SIZE      8
#define USED_LENGTH    4
/* The flag of either ring: its reader wants no notification. */
#define NO_NOTICE 1u

static uint16_t read16(uintptr_t address) {
    return *(volatile uint16_t *)address;
}

static void write16(uintptr_t address, uint16_t value) {
    *(volatile uint16_t *)address = value;
}

void vring_open(struct vring *vring, const volatile struct resource_vring *place) {
    uintptr_t end;

    vring->buffers = place->buffers;
    vring->descriptors = place->address;
    vring->available = vring->descriptors + DESCRIPTOR_SIZE * vring->buffers;
    /* After the ring comes a 16-bit word for event indices, used or not. */
    end = vring->available + RING_ENTRIES + AVAILABLE_SIZE * vring->buffers + 2;
    vring->used = (end + place->alignment - 1) & ~(place->alignment - 1);
    vring->taken = 0;
    vring->given = 0;
}

bool vring_take(struct vring *vring, struct vring_buffer *buffer) {
    uint32_t slot = vring->taken % vring->buffers;
    uintptr_t descriptor;

    if (read16(vring->available + RING_INDEX) == vring->taken)
        return false;
    /* The entry is written before the index. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    buffer->number = read16(vring->available + RING_ENTRIES + AVAILABLE_SIZE * slot);
    descriptor = vring->descriptors + DESCRIPTOR_SIZE * buffer->number;
    buffer->data = (uint8_t *)read32(descriptor);
    buffer->size = read32(descriptor + DESCRIPTOR_LENGTH);
    vring->taken++;
    return true;
}

bool vring_give(struct vring *vring, const struct vring_buffer *buffer, uint32_t length) {
    uintptr_t entry = vring->used + RING_ENTRIES + USED_SIZE * (vring->given % vring->buffers);

    write32(entry, buffer->number);
    write32(entry + USED_LENGTH, length);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    write16(vring->used + RING_INDEX, ++vring->given);
    /* Linux looks at the index after it has cleared the flag: one of us sees the other's write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !(read16(vring->available) & NO_NOTICE);
}

void vring_be_quiet(struct vring *vring) {
    write16(vring->used, NO_NOTICE);
}
