#include "identity.h"

const char identity_name[] = CORE_NAME;
const uint32_t identity_index = CORE_INDEX;

#ifdef CORE_HAS_WATCHDOG
const bool identity_has_watchdog = true;
#else
const bool identity_has_watchdog = false;
#endif
