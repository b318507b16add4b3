#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone.
cd "$(dirname "$0")/../.." || exit 2
bad=0
for h in $(git ls-files 'proto/*.h' 'crypto/*.h' 'store/*.h' 'federation/*.h' \
    'node/*.h' 'tools/*.h'); do
    gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -x c \
        "-Ibuild/view/${h%%/*}" -include stddef.h "$h" 2>/dev/null ||
        { echo "$h does not compile alone"; bad=1; }
done
exit $bad
