/* The i.MX 8M Nano's platform firmware, as far as Linux's imx_rproc.c calls it (IMX_SIP_RPROC). */
#ifndef IMX_SIP_H
#define IMX_SIP_H

#include <stdbool.h>

#include "smc.h"

/* Serves one call; false for what is not known. */
bool imx_sip_serve(struct smc_frame *frame);

#endif
