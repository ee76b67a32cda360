/* PL011 registers (Arm DDI 0183), as offsets from the UART's base. */
#ifndef PL011_H
#define PL011_H

#define PL011_DR         0x00
#define PL011_FR         0x18
#define PL011_FR_TX_FULL (1u << 5)
#define PL011_IMSC       0x38
#define PL011_IMSC_TX    (1u << 5)
#define PL011_MIS        0x40

#endif
