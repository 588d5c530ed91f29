#ifndef CSHA256_H
#define CSHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instructions that the functions below are made of. Where it has not, they must not be called.
bool csha256_is_available(void);

/// The SHA-256 (FIPS 180-4) of `count` bytes, in one call and without memory of its own. `bytes` may be null where `count` is 0.
void csha256_digest(const void *bytes, size_t count, uint8_t digest[32]);

#endif
