#include "announce.h"

#include "boot_count.h"
#include "nonce.h"

void announce(struct line *line, const char *firmware) {
    line_begin(line);
    line_add(line, firmware);
    line_add(line, " boot=");
    line_add_decimal(line, boot_count());
    line_add(line, " nonce=");
    nonce_add(line);
}
