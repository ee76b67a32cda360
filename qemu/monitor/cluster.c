#include "cluster.h"

#include "node.h"
#include "power.h"

enum { IOCTL_GET_RPU_OPER_MODE = 0, IOCTL_SET_RPU_OPER_MODE = 1, IOCTL_TCM_COMB_CONFIG = 3 };

enum mode { MODE_LOCKSTEP = 0, MODE_SPLIT = 1, MODE_UNSET };

/* Unset until Linux's driver says: a core started before Linux may run in either. */
static enum mode mode = MODE_UNSET;

/* The hardware takes a new mode only out of reset: a core must not run across the change. */
static enum eemi_status set_mode(uint32_t wanted) {
    if (wanted != MODE_LOCKSTEP && wanted != MODE_SPLIT)
        return EEMI_INVALID_PARAMETER;
    if (mode != MODE_UNSET && mode != wanted)
        for (unsigned int core = 0; core < R5_CORES; core++)
            if (power_is_on(core))
                return EEMI_CONFLICT;
    mode = wanted;
    return EEMI_SUCCESS;
}

enum eemi_status cluster_ioctl(uint32_t node, uint32_t ioctl, uint32_t value, uint32_t *result) {
    if (!node_is_core(node))
        return EEMI_INVALID_NODE;
    switch (ioctl) {
    case IOCTL_GET_RPU_OPER_MODE:
        *result = mode == MODE_SPLIT ? MODE_SPLIT : MODE_LOCKSTEP; /* lockstep out of reset */
        return EEMI_SUCCESS;
    case IOCTL_SET_RPU_OPER_MODE:
        return set_mode(value);
    case IOCTL_TCM_COMB_CONFIG:
        /* Banks are plain memory, the same in both configurations. */
        return value <= 1 ? EEMI_SUCCESS : EEMI_INVALID_PARAMETER;
    default:
        return EEMI_NO_FEATURE;
    }
}

bool cluster_may_start(unsigned int core) {
    return core == 0 || mode == MODE_SPLIT;
}
