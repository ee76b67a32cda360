#include "imx_sip.h"

#include "mhu.h"
#include "power.h"
#include "variant.h"

#define IMX_SIP_RPROC 0xc2000005u

enum imx_sip_rproc { RPROC_START = 0, RPROC_STARTED = 1, RPROC_STOP = 2 };

bool imx_sip_serve(struct smc_frame *frame) {
    if ((uint32_t)frame->x[0] != IMX_SIP_RPROC)
        return false;
    switch ((enum imx_sip_rproc)frame->x[1]) {
    case RPROC_START:
        frame->x[0] = smc_result(variant_wakeup_lies || power_on(0));
        return true;
    case RPROC_STARTED:
        frame->x[0] = power_is_on(0);
        return true;
    case RPROC_STOP:
        frame->x[0] = smc_result(variant_powerdown_lies || power_off(0));
        if (!power_is_on(0))
            mhu_core_stopped();
        /* Whether the core had to be stopped out of work is not known here: say nothing of it. */
        frame->x[1] = 0;
        return true;
    }
    return false;
}
