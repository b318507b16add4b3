/* SPDX-License-Identifier: Apache-2.0 */
/* Every reason is said in words: whole sentences, no name out of the code. */
#include "tests/support/check.h"
#include "tools/patient/why.h"

#include <string.h>

TEST(in_words)
{
    for (int why = 0; why < FED_WHY_COUNT_; why++) {
        const char *words = tool_patient_why((enum fed_why)why);
        size_t len = strlen(words);

        CHECK(len > 10 && strchr(".?", words[len - 1]) != NULL);
        CHECK(strchr(words, '_') == NULL);
    }
}

TEST(what_to_do)
{
    CHECK(strstr(tool_patient_why(FED_WHY_NOT_ACCEPTED), "ask the clinic"));
    CHECK(strstr(tool_patient_why(FED_WHY_EXPIRED_PEER), "date and time"));
    CHECK(strstr(tool_patient_why(FED_WHY_WRONG_PEER), "Nothing was sent"));
}

int
main(void)
{
    return RUN(T(in_words), T(what_to_do));
}
