/*
 * Physical addresses the monitor, the trampoline and the firmware agree on.
 * Plain literals: assembly and linker-free C of both architectures include it.
 */
#ifndef MEMORY_MAP_H
#define MEMORY_MAP_H

/* Devices of QEMU's xlnx-versal-virt (hw/arm/xlnx-versal.c). */
#define GIC_DISTRIBUTOR        0xf9000000
#define GIC_REDISTRIBUTORS     0xf9080000
#define GIC_REDISTRIBUTOR_SIZE 0x20000
#define UART0                  0xff000000
#define UART1                  0xff010000
#define CRL                    0xff5e0000

/* Where QEMU's loader devices put what Linux is started with. */
#define DEVICETREE   0x07000000
#define LINUX_KERNEL 0x08000000

/* Where a real-time core starts: memory, here. */
#define R5_RESET 0x0

/* Firmware of the two-core layout is linked at these addresses, vectors first. */
#define CORE0_VECTORS 0x10000
#define CORE1_VECTORS 0x30000

/* Where the vectors at R5_RESET keep the address that they send core 0 to. */
#define TRAMPOLINE_CORE0 0x3fc

/* On-chip memory: survives a core's power cycle, zero when QEMU starts. */
#define OCM_DOORBELLS   0xfffc1000 /* one word per core, set by the core, taken by the monitor */
#define OCM_KICKS       0xfffc1010 /* one word per core, counts Linux's notifications */
#define OCM_BOOT_COUNTS 0xfffc1100 /* one word per core, counts its starts */
#define OCM_UART1_LOCK  0xfffc1110 /* 0 free, otherwise 1 + number of the holding core */

/* The STM32 board's system configuration: words that Linux reads and writes. */
#define OCM_SYSCON 0xfffc1200

/* The i.MX board's message handling unit: Arm's register layout, in plain memory (doorbell_mhu.c). */
#define OCM_MHU 0xfffc2000

/* The monitor's exception vectors, at the start of its image. */
#define MONITOR_VECTORS 0xfffe0000

#endif
