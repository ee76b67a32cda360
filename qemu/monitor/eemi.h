/*
 * EEMI, the interface between Linux and the platform firmware: the calls the
 * mainline Versal drivers make (include/linux/firmware/xlnx-zynqmp.h).
 */
#ifndef EEMI_H
#define EEMI_H

#include <stdint.h>

enum eemi_status {
    EEMI_SUCCESS = 0,
    EEMI_INVALID_PARAMETER = 15,
    EEMI_NO_FEATURE = 19,
    EEMI_INTERNAL = 2000,
    EEMI_CONFLICT = 2001,
    EEMI_INVALID_NODE = 2003,
};

struct eemi_call {
    uint32_t module;
    uint32_t api;
    uint32_t argument[3];
};

struct eemi_reply {
    uint32_t status; /* enum eemi_status */
    uint32_t payload[3];
};

/* Serves one call; the reply is an error status for whatever is not known. */
void eemi_serve(const struct eemi_call *call, struct eemi_reply *reply);

#endif
