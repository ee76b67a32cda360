#include "eemi.h"

#include <stddef.h>

#include "cluster.h"
#include "node.h"
#include "power.h"
#include "variant.h"

enum { MODULE_PM = 0, MODULE_TF_A = 10 };

enum pm_api {
    PM_GET_API_VERSION = 1,
    PM_GET_NODE_STATUS = 3,
    PM_REGISTER_NOTIFIER = 5,
    PM_FORCE_POWERDOWN = 8,
    PM_REQUEST_WAKEUP = 10,
    PM_REQUEST_NODE = 13,
    PM_RELEASE_NODE = 14,
    PM_SET_REQUIREMENT = 15,
    PM_INIT_FINALIZE = 21,
    PM_GET_CHIPID = 24,
    PM_IOCTL = 34,
    PM_FEATURE_CHECK = 63,
};

enum tf_a_api { TF_A_GET_TRUSTZONE_VERSION = 3, TF_A_REGISTER_SGI = 4 };

/* Below 1.0 Linux panics at boot (zynqmp_firmware_probe). */
#define VERSION_1_0 0x10000u

/* Family 0x26 (Versal) in bits 27:21 and sub-family 1 in 20:19; the rest is the xcvc1902's. */
#define CHIP_XCVC1902 0x14ca8093u

/* PM_GET_NODE_STATUS: a running core becomes "detached" in the driver. */
enum { NODE_RUNNING = 1, NODE_HALTED = 12 };

enum { SGI_LAST = 15 };

struct feature {
    uint8_t api;
    uint8_t version;
};

/* Linux asks for TF-A's calls under the same numbers, as if they were PM's. Newer ones add the module in bits
 * 11:8. */
static const struct feature features[] = {
    {PM_GET_API_VERSION, 1}, {PM_GET_NODE_STATUS, 2},   /* 2: the driver asks whether a core already runs */
    {TF_A_REGISTER_SGI, 1},  {PM_REGISTER_NOTIFIER, 2}, /* 2: the least the event manager accepts */
    {PM_FORCE_POWERDOWN, 1}, {PM_REQUEST_WAKEUP, 1},
    {PM_REQUEST_NODE, 1},    {PM_RELEASE_NODE, 1},
    {PM_SET_REQUIREMENT, 1}, {PM_INIT_FINALIZE, 1},
    {PM_GET_CHIPID, 1},      {PM_IOCTL, 2}, /* 2: the payload is a bitmap of the known ioctls */
    {PM_FEATURE_CHECK, 2},
};

static enum eemi_status check_feature(uint32_t asked, struct eemi_reply *reply) {
    uint32_t api = asked >> 8 == MODULE_TF_A ? asked & 0xff : asked;

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (features[i].api == api) {
            reply->payload[0] = features[i].version;
            if (api == PM_IOCTL)
                reply->payload[1] = CLUSTER_IOCTLS;
            return EEMI_SUCCESS;
        }
    return EEMI_NO_FEATURE;
}

static enum eemi_status report_version(uint32_t version, struct eemi_reply *reply) {
    reply->payload[0] = version;
    return EEMI_SUCCESS;
}

static enum eemi_status report_node(uint32_t node, struct eemi_reply *reply) {
    if (!node_is_core(node))
        return EEMI_INVALID_NODE;
    reply->payload[0] = power_is_on(node_core(node)) ? NODE_RUNNING : NODE_HALTED;
    return EEMI_SUCCESS;
}

static enum eemi_status wake(uint32_t node) {
    if (!node_is_core(node))
        return EEMI_INVALID_NODE;
    /* The address argument only tells low from high vectors, and Linux encodes both alike. */
    if (!cluster_may_start(node_core(node)))
        return EEMI_CONFLICT;
    if (variant_wakeup_lies)
        return EEMI_SUCCESS;
    return power_on(node_core(node)) ? EEMI_SUCCESS : EEMI_INTERNAL;
}

static enum eemi_status power_down(uint32_t node) {
    if (!node_is_core(node))
        return EEMI_INVALID_NODE;
    if (variant_powerdown_lies)
        return EEMI_SUCCESS;
    return power_off(node_core(node)) ? EEMI_SUCCESS : EEMI_INTERNAL;
}

/* Cores and memory banks are always powered here: holding one changes nothing. */
static enum eemi_status hold(uint32_t node) {
    return node_is_core(node) || node_is_memory(node) ? EEMI_SUCCESS : EEMI_INVALID_NODE;
}

/* This machine has no event to report, so a registered interrupt is never raised. */
static enum eemi_status register_sgi(uint32_t number) {
    return number <= SGI_LAST ? EEMI_SUCCESS : EEMI_INVALID_PARAMETER;
}

static enum eemi_status serve_pm(const struct eemi_call *call, struct eemi_reply *reply) {
    switch ((enum pm_api)call->api) {
    case PM_GET_API_VERSION:
        return report_version(VERSION_1_0, reply);
    case PM_GET_NODE_STATUS:
        return report_node(call->argument[0], reply);
    case PM_FORCE_POWERDOWN:
        return power_down(call->argument[0]);
    case PM_REQUEST_WAKEUP:
        return wake(call->argument[0]);
    case PM_REQUEST_NODE:
    case PM_RELEASE_NODE:
    case PM_SET_REQUIREMENT:
        return hold(call->argument[0]);
    case PM_REGISTER_NOTIFIER:
    case PM_INIT_FINALIZE:
        return EEMI_SUCCESS;
    case PM_GET_CHIPID:
        return report_version(CHIP_XCVC1902, reply);
    case PM_IOCTL:
        return cluster_ioctl(call->argument[0], call->argument[1], call->argument[2], &reply->payload[0]);
    case PM_FEATURE_CHECK:
        return check_feature(call->argument[0], reply);
    }
    return EEMI_NO_FEATURE;
}

static enum eemi_status serve_tf_a(const struct eemi_call *call, struct eemi_reply *reply) {
    switch ((enum tf_a_api)call->api) {
    case TF_A_GET_TRUSTZONE_VERSION:
        return report_version(VERSION_1_0, reply);
    case TF_A_REGISTER_SGI:
        return register_sgi(call->argument[0]);
    }
    return EEMI_NO_FEATURE;
}

void eemi_serve(const struct eemi_call *call, struct eemi_reply *reply) {
    if (call->module == MODULE_PM)
        reply->status = serve_pm(call, reply);
    else if (call->module == MODULE_TF_A)
        reply->status = serve_tf_a(call, reply);
    else
        reply->status = EEMI_NO_FEATURE;
}
