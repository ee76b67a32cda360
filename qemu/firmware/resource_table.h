/* What a firmware asks of Linux: the entries of include/linux/remoteproc.h that are used here. */
#ifndef RESOURCE_TABLE_H
#define RESOURCE_TABLE_H

#include <stdint.h>

enum { RESOURCE_TRACE = 2, RESOURCE_VDEV = 3 };

/* Linux chooses where a vring lies and writes it down. */
#define RESOURCE_ANY_ADDRESS 0xffffffffu

struct resource_header {
    uint32_t version; /* 1 */
    uint32_t entries;
    uint32_t reserved[2];
};

struct resource_trace {
    uint32_t type;
    uint32_t address;
    uint32_t length;
    uint32_t reserved;
    char name[32];
};

struct resource_vring {
    uint32_t address;
    uint32_t alignment;
    uint32_t buffers;
    uint32_t notify_id;
    uint32_t physical_address;
};

struct resource_vdev {
    uint32_t type;
    uint32_t device; /* virtio's number for the kind of device */
    uint32_t notify_id;
    uint32_t features;
    uint32_t driver_features; /* what Linux takes of them */
    uint32_t config_length;
    uint8_t status; /* written by Linux's driver */
    uint8_t vrings;
    uint8_t reserved[2];
    struct resource_vring vring[2];
};

#endif
