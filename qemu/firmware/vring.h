/* The device's side of a virtqueue in the legacy layout (virtio 1.1, 2.6), its buffers all Linux's. */
#ifndef VRING_H
#define VRING_H

#include <stdbool.h>
#include <stdint.h>

#include "resource_table.h"

struct vring {
    uintptr_t descriptors;
    uintptr_t available; /* buffers Linux offers */
    uintptr_t used;      /* buffers given back */
    uint32_t buffers;
    uint16_t taken;
    uint16_t given;
};

struct vring_buffer {
    uint8_t *data;
    uint32_t size;
    uint32_t number;
};

/* Once Linux has filled in where it lies. */
void vring_open(struct vring *vring, const volatile struct resource_vring *place);

/* The next buffer Linux offers; false when there is none. */
bool vring_take(struct vring *vring, struct vring_buffer *buffer);

/* Gives a buffer back with `length` bytes written to it. True when Linux wants to be notified of it. */
bool vring_give(struct vring *vring, const struct vring_buffer *buffer, uint32_t length);

/* Linux need not notify us of new buffers in this one. */
void vring_be_quiet(struct vring *vring);

#endif
