#include "identity.h"

const char identity_name[] = CORE_NAME;
const uint32_t identity_index = CORE_INDEX;
