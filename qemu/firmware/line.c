#include "line.h"

#include "identity.h"

static void add_character(struct line *line, char character) {
    if (line->length < sizeof(line->text))
        line->text[line->length++] = character;
}

void line_begin(struct line *line) {
    line->length = 0;
    line_add(line, identity_name);
    add_character(line, ' ');
}

void line_add(struct line *line, const char *text) {
    for (; *text; text++)
        add_character(line, *text);
}

void line_add_decimal(struct line *line, uint32_t number) {
    char digits[10];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        add_character(line, digits[--count]);
}

void line_add_hexadecimal(struct line *line, uint32_t number) {
    line_add(line, "0x");
    for (int shift = 28; shift >= 0; shift -= 4)
        add_character(line, "0123456789abcdef"[(number >> shift) & 0xf]);
}
