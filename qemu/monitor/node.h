/* Node identifiers of EEMI (include/dt-bindings/power/xlnx-versal-power.h). */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stdint.h>

#define NODE_RPU0_0  0x18110005u
#define NODE_RPU0_1  0x18110006u
#define NODE_TCM_0_A 0x1831800bu
#define NODE_TCM_1_B 0x1831800eu

static inline bool node_is_core(uint32_t node) {
    return node == NODE_RPU0_0 || node == NODE_RPU0_1;
}

static inline bool node_is_memory(uint32_t node) {
    return node >= NODE_TCM_0_A && node <= NODE_TCM_1_B;
}

/* The core's number; only for nodes that are cores. */
static inline unsigned int node_core(uint32_t node) {
    return node - NODE_RPU0_0;
}

#endif
