/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proof that the fuzzing set-up finds anything at all: reads behind its input
 * when that begins with a short word.  fuzz.suite fails when this one passes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile uint8_t sink;

    if (size >= 3 && data[0] == 'b' && data[1] == 'o' && data[2] == 'o') {
        const uint8_t *volatile past = data + size;

        sink = *past;
    }
    return (int)(sink & 0u);
}
