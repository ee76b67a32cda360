/* The reset controller's register for the real-time cores (AM012, CRL module). */
#ifndef CRL_H
#define CRL_H

#include "memory_map.h"

/* Bit n holds core n in reset; reads 0x17 after power-on: both cores, the cluster and its bus. */
#define CRL_RST_CPU_R5 (CRL + 0x300)

#endif
