#include "soc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory_map.h"
#include "mmio.h"

/* The flattened devicetree, big-endian (Devicetree Specification 0.4, chapter 5). */
#define FDT_MAGIC 0xd00dfeedu

enum fdt_header { FDT_HEADER_STRUCTURE = 8, FDT_HEADER_STRINGS = 12 };
enum fdt_token { FDT_BEGIN_NODE = 1, FDT_PROPERTY = 3 };

static enum soc detected = SOC_VERSAL;

static const struct {
    const char *compatible;
    enum soc soc;
} socs[] = {
    {"fsl,imx8mn", SOC_IMX8MN},
    {"st,stm32mp157", SOC_STM32MP1},
};

static uint32_t word_at(uintptr_t address) {
    return __builtin_bswap32(read32(address));
}

static bool same(const char *one, const char *other) {
    for (; *one && *one == *other; one++, other++)
        continue;
    return *one == *other;
}

/* The first string of the root node's `compatible`; NULL when it has none. */
static const char *root_compatible(void) {
    uintptr_t strings = DEVICETREE + word_at(DEVICETREE + FDT_HEADER_STRINGS);
    uintptr_t token = DEVICETREE + word_at(DEVICETREE + FDT_HEADER_STRUCTURE);

    if (word_at(token) != FDT_BEGIN_NODE)
        return NULL;
    /* The root's name is empty: one word of zeros. Its properties come before its children. */
    for (token += 8; word_at(token) == FDT_PROPERTY;) {
        uint32_t length = word_at(token + 4);
        const char *name = (const char *)strings + word_at(token + 8);
        const char *value = (const char *)token + 12;

        if (same(name, "compatible"))
            return value;
        token += 12 + ((length + 3) & ~3u);
    }
    return NULL;
}

void soc_detect(void) {
    const char *compatible;

    if (word_at(DEVICETREE) != FDT_MAGIC)
        return;
    compatible = root_compatible();
    for (size_t i = 0; compatible && i < sizeof(socs) / sizeof(socs[0]); i++)
        if (same(compatible, socs[i].compatible))
            detected = socs[i].soc;
}

enum soc soc_detected(void) {
    return detected;
}
