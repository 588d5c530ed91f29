#include "csha256.h"

#include <string.h>

// Swift has no way to the SHA instructions of x86-64, and libraries of cryptography put an object on the heap around each digest. A commit has
// about fifty of them, most of one block. No secret is ever hashed here: nothing has to be wiped.

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

bool csha256_is_available(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 29))) return false;
    // SSSE3 and SSE4.1, which the code around the instructions uses.
    return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 9)) && (c & (1u << 19));
}

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The state as the instructions want it: words A B E F and C D G H, the first of each in the highest lane.
typedef struct {
    __m128i abef, cdgh;
} State;

WITH_SHA static inline State compress(State state, const uint8_t *bytes, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (; blocks > 0; blocks--, bytes += 64) {
        State before = state;
        // Four words of the message schedule each; the oldest is replaced by the next four.
        __m128i w[4];
        for (int i = 0; i < 4; i++) w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), swap);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            __m128i sum = _mm_add_epi32(w[i & 3], _mm_load_si128((const __m128i *)(constants + 4 * i)));
            state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
            state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i < 12) {
                __m128i next = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(next, w[(i + 3) & 3]);
            }
        }
        state.abef = _mm_add_epi32(state.abef, before.abef);
        state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
    }
    return state;
}

WITH_SHA void csha256_digest(const void *bytes, size_t count, uint8_t digest[32]) {
    const uint8_t *input = bytes;
    State state = {
        _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
        _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19)};
    size_t whole = count / 64, rest = count % 64;
    state = compress(state, input, whole);

    // The rest, a one bit, zeros, and the length in bits: one block, or two where the length does not fit in.
    uint8_t tail[128] = {0};
    if (rest > 0) memcpy(tail, input + whole * 64, rest);
    tail[rest] = 0x80;
    size_t blocks = rest < 56 ? 1 : 2;
    uint64_t bits = __builtin_bswap64((uint64_t)count * 8);
    memcpy(tail + blocks * 64 - 8, &bits, 8);
    state = compress(state, tail, blocks);

    uint32_t words[8] = {
        (uint32_t)_mm_extract_epi32(state.abef, 3), (uint32_t)_mm_extract_epi32(state.abef, 2), (uint32_t)_mm_extract_epi32(state.cdgh, 3),
        (uint32_t)_mm_extract_epi32(state.cdgh, 2), (uint32_t)_mm_extract_epi32(state.abef, 1), (uint32_t)_mm_extract_epi32(state.abef, 0),
        (uint32_t)_mm_extract_epi32(state.cdgh, 1), (uint32_t)_mm_extract_epi32(state.cdgh, 0)};
    for (int i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(words[i]);
        memcpy(digest + 4 * i, &word, 4);
    }
}

#else

bool csha256_is_available(void) { return false; }

void csha256_digest(const void *bytes, size_t count, uint8_t digest[32]) {
    (void)bytes, (void)count, (void)digest;
    __builtin_trap();
}

#endif
