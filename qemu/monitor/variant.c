#include "variant.h"

#ifdef VARIANT_WAKEUP_LIES
const bool variant_wakeup_lies = true;
#else
const bool variant_wakeup_lies = false;
#endif

#ifdef VARIANT_POWERDOWN_LIES
const bool variant_powerdown_lies = true;
#else
const bool variant_powerdown_lies = false;
#endif

#ifdef VARIANT_NEVER_RETURNS
const bool variant_never_returns = true;
#else
const bool variant_never_returns = false;
#endif

#ifdef VARIANT_CORE0_RUNS
const bool variant_core0_runs = true;
#else
const bool variant_core0_runs = false;
#endif
