/*
 * The STM32MP1's platform firmware, as far as Linux's stm32_rproc.c calls it: the
 * hold-boot bit (STM32_SMC_RCC). The reset line itself is Linux's own.
 */
#ifndef STM32_RCC_H
#define STM32_RCC_H

#include <stdbool.h>

#include "smc.h"

/* The words of OCM_SYSCON as the devicetree names them. Run once, before Linux. */
void stm32_rcc_reset(void);

/* Serves one call; false for what is not known. */
bool stm32_rcc_serve(struct smc_frame *frame);

#endif
