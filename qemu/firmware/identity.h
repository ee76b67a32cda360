/* Which core the firmware was linked for. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdint.h>

extern const char identity_name[];    /* core0, core1 or lockstep */
extern const uint32_t identity_index; /* of its words in on-chip memory; lockstep is core 0 */

#endif
