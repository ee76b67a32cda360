/* The real-time cluster's mode: one lockstep pair, or two cores of their own. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "eemi.h"

/* Bitmap of the ioctls served: get and set the mode, configure the memory banks. */
#define CLUSTER_IOCTLS 0xbu

/* Serves PM_IOCTL of a core node; `result` is set by the ioctls that return a value. */
enum eemi_status cluster_ioctl(uint32_t node, uint32_t ioctl, uint32_t value, uint32_t *result);

/* Whether the core exists in the cluster's mode: lockstep has core 0 alone. */
bool cluster_may_start(unsigned int core);

#endif
