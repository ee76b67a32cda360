/* Which core the firmware was linked for. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

extern const char identity_name[];    /* the layout's word for it, such as core0 */
extern const uint32_t identity_index; /* of its words in on-chip memory; a single core is core 0 */
extern const bool identity_has_watchdog;

#endif
