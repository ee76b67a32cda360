/* A spin lock between the two A72s. Every holder's work is bounded, so waiting is too. */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

struct lock {
    bool taken;
};

static inline void lock_take(struct lock *lock) {
    while (__atomic_exchange_n(&lock->taken, true, __ATOMIC_ACQUIRE))
        continue;
}

static inline void lock_release(struct lock *lock) {
    __atomic_store_n(&lock->taken, false, __ATOMIC_RELEASE);
}

#endif
