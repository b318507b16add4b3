#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Spelling, shell scripts, and words that do not belong in the project.
cd "$(dirname "$0")/../.." || exit 2
bad=0
git ls-files '*.md' '*.c' '*.h' '*.sh' '*.py' '*.ts' '*.mjs' |
    xargs -r codespell -q 3 -L 'ot,ba,fo,te,inout,crate,nd,sme,ue,upto' --skip crypto/ident/words.c,node/web_texts.c || bad=1
scripts=$(git ls-files | while read -r f; do
    head -n 1 "$f" 2>/dev/null | grep -aqE '^#!/bin/(ba)?sh' && echo "$f"; done)
# shellcheck disable=SC2086 # one word a file
[ -z "$scripts" ] || shellcheck $scripts || bad=1
hosts=$(git grep -nIE 'registry\.npmjs|deb\.debian\.org|/work/(main|wt|shared)' \
    -- . ':!tools/check/text.sh')
[ -z "$hosts" ] || { echo "machine paths or registry hosts:"; echo "$hosts"; bad=1; }
top=$(git ls-tree --name-only HEAD | grep -vE \
    '^(node|proto|crypto|federation|store|tests|tools|Makefile|README\.md|LICENSE|\..*)$')
[ -z "$top" ] || { echo "does not belong at the top level: $top"; bad=1; }
exit $bad
