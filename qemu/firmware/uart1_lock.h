/* Who may write to UART1: a word in on-chip memory, so that it outlives every holder. */
#ifndef UART1_LOCK_H
#define UART1_LOCK_H

enum uart1_lock {
    UART1_LOCK_FREE,      /* nobody held it */
    UART1_LOCK_INHERITED, /* its holder was stopped, or held it too long, perhaps within a line */
};

/* Returns once this core holds the lock, in bounded time; tells how it was found. */
enum uart1_lock uart1_lock_take(void);

void uart1_lock_release(void);

#endif
