/* One line of text in the making. What does not fit is cut off. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>
#include <stdint.h>

struct line {
    char text[96]; /* without line end, not terminated */
    size_t length;
};

/* An empty line but for the name of the core and a space. */
void line_begin(struct line *line);

void line_add(struct line *line, const char *text);
void line_add_decimal(struct line *line, uint32_t number);
void line_add_hexadecimal(struct line *line, uint32_t number);

#endif
