#include "boot_count.h"

#include "identity.h"
#include "memory_map.h"
#include "mmio.h"

static uintptr_t word(void) {
    return OCM_BOOT_COUNTS + 4 * identity_index;
}

void boot_count_advance(void) {
    write32(word(), read32(word()) + 1);
}

uint32_t boot_count(void) {
    return read32(word());
}
