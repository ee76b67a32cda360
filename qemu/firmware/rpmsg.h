/* RPMsg over virtio: messages between addresses of both sides (drivers/rpmsg/virtio_rpmsg_bus.c). */
#ifndef RPMSG_H
#define RPMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resource_table.h"

/* A resource table's entry for it. The first queue goes to Linux, the second comes from it. */
#define RPMSG_VDEV                                                                                           \
    {                                                                                                        \
        .type = RESOURCE_VDEV, .device = 7, .features = 1 /* it announces its channels */, .vrings = 2,      \
        .vring = {{RESOURCE_ANY_ADDRESS, 0x1000, 64, 0, 0}, {RESOURCE_ANY_ADDRESS, 0x1000, 64, 1, 0}},       \
    }

/* What fits into one message: Linux's buffers are 512 bytes, 16 of them the header. */
#define RPMSG_LARGEST 496

struct rpmsg_message {
    uint32_t source;
    uint32_t destination;
    size_t length;
    uint8_t data[RPMSG_LARGEST] __attribute__((aligned(4)));
};

/* Waits until Linux's driver is ready. */
void rpmsg_open(const volatile struct resource_vdev *vdev);

/* Tells Linux that a service of this name answers at the address: a device appears there. */
void rpmsg_announce(const char *name, uint32_t address);

/* The next message from Linux; false when there is none. */
bool rpmsg_receive(struct rpmsg_message *message);

/* False when Linux has no buffer free. */
bool rpmsg_send(const struct rpmsg_message *message);

#endif
