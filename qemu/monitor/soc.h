/* Which SoC's platform firmware the monitor plays. */
#ifndef SOC_H
#define SOC_H

enum soc { SOC_VERSAL, SOC_IMX8MN, SOC_STM32MP1 };

/* As the devicetree's root node says that Linux is given; a Versal where there is none. */
void soc_detect(void);

enum soc soc_detected(void);

#endif
