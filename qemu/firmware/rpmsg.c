#include "rpmsg.h"

#include "doorbell.h"
#include "vring.h"

#define STATUS_DRIVER_OK 4u

/* Where Linux listens for announcements (RPMSG_NS_ADDR). */
#define NAME_SERVICE 53

struct header {
    uint32_t source;
    uint32_t destination;
    uint32_t reserved;
    uint16_t length;
    uint16_t flags;
};

struct announcement {
    char name[32];
    uint32_t address;
    uint32_t flags; /* 0: it is there */
};

static struct vring to_linux;
static struct vring from_linux;

static void copy(volatile uint8_t *to, const volatile uint8_t *from, size_t length) {
    for (size_t i = 0; i < length; i++)
        to[i] = from[i];
}

void rpmsg_open(const volatile struct resource_vdev *vdev) {
    while (!(vdev->status & STATUS_DRIVER_OK))
        continue;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    vring_open(&to_linux, &vdev->vring[0]);
    vring_be_quiet(&to_linux);
    vring_open(&from_linux, &vdev->vring[1]);
}

void rpmsg_announce(const char *name, uint32_t address) {
    static struct rpmsg_message message;
    struct announcement *announcement = (struct announcement *)message.data;
    size_t length = 0;

    for (; name[length] && length < sizeof(announcement->name) - 1; length++)
        announcement->name[length] = name[length];
    announcement->name[length] = '\0';
    announcement->address = address;
    announcement->flags = 0;
    message.source = address;
    message.destination = NAME_SERVICE;
    message.length = sizeof(*announcement);
    while (!rpmsg_send(&message))
        continue;
}

bool rpmsg_receive(struct rpmsg_message *message) {
    struct vring_buffer buffer;
    const volatile struct header *header;

    if (!vring_take(&from_linux, &buffer))
        return false;
    header = (const volatile struct header *)buffer.data;
    message->source = header->source;
    message->destination = header->destination;
    message->length = header->length < RPMSG_LARGEST ? header->length : RPMSG_LARGEST;
    copy(message->data, buffer.data + sizeof(*header), message->length);
    if (vring_give(&from_linux, &buffer, 0))
        doorbell_ring();
    return true;
}

bool rpmsg_send(const struct rpmsg_message *message) {
    struct vring_buffer buffer;
    volatile struct header *header;

    if (!vring_take(&to_linux, &buffer))
        return false;
    header = (volatile struct header *)buffer.data;
    header->source = message->source;
    header->destination = message->destination;
    header->reserved = 0;
    header->length = (uint16_t)message->length;
    header->flags = 0;
    copy(buffer.data + sizeof(*header), message->data, message->length);
    if (vring_give(&to_linux, &buffer, sizeof(*header) + message->length))
        doorbell_ring();
    return true;
}
