#include "nonce.h"

#define NONCE_SIZE 32

/* Volatile: the bytes are replaced after compilation. */
__attribute__((section(".nonce"), used)) static const volatile char nonce[NONCE_SIZE] = "unset";

void nonce_add(struct line *line) {
    char text[NONCE_SIZE + 1];

    for (size_t i = 0; i < NONCE_SIZE; i++)
        text[i] = nonce[i];
    text[NONCE_SIZE] = '\0';
    line_add(line, text);
}
