/*
 * PSCI (Arm DEN 0022) as QEMU serves it on HVC to every exception level. It
 * knows the real-time cores too: they are CPUs of the same machine.
 */
#ifndef PSCI_H
#define PSCI_H

#include <stdint.h>

enum psci_affinity { PSCI_ON = 0, PSCI_OFF = 1, PSCI_ON_PENDING = 2 };

/* The power state of one CPU; PSCI's negative error codes for a CPU that does not exist. */
int32_t psci_affinity_info(uint64_t mpidr);

/* Ends QEMU. */
_Noreturn void psci_system_off(void);

#endif
