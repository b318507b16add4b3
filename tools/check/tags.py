#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every validation rule has its place in the code and its test, by tag.

A rule is enforced under a comment such as /* RFC 9420 12.4 [commit-path-required] */
and the test that breaks it carries the same tag.  Checked here, for crypto/ and
proto/:
  - a tag in the code is in a test, and a tag in a test is in the code;
  - each rule of crypto/mls/rule.h is enforced (its MLS_RULE_ name is used) and
    cited with the section that rule.h gives it;
  - each tag of a rule is one of rule.h, each MLS_RULE_ name exists.
"""
import glob
import re
import sys

RULES = "crypto/mls/rule.h"
TAG = re.compile(r"(?:^|(?<=[\s*(/]))\[([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\](?=$|[\s.,;:)*])",
                 re.M)
bad = []


def comments(path):
    text = open(path).read()
    if not path.endswith((".c", ".h")):
        return [text]
    return re.findall(r"/\*.*?\*/", text, flags=re.S)


def files(*patterns):
    found = []
    for p in patterns:
        found += glob.glob(p, recursive=True)
    return sorted(f for f in found if "node_modules" not in f)


def tags_of(paths):
    """tag -> {path: [comment, ...]}"""
    found = {}
    for path in paths:
        for comment in comments(path):
            for tag in TAG.findall(comment):
                if len(tag) > 4:
                    found.setdefault(tag, {}).setdefault(path, []).append(comment)
    return found


def rules():
    """NAME -> (tag, section)"""
    text = open(RULES).read().replace("\\\n", " ")
    return {m[0]: (m[1], m[2]) for m in re.findall(
        r'X\(([A-Z_0-9]+),\s*"([a-z0-9-]+)",\s*"([0-9.]+)",', text)}


sources = [p for p in files("crypto/**/*.[ch]", "proto/**/*.[ch]") if p != RULES]
tests = files("tests/**/*.[ch]", "tests/**/*.suite")
code = tags_of(sources)
tested = tags_of(tests)
table = rules()
if len(table) < 100:
    bad.append(f"{RULES}: only {len(table)} rules found; is its form another?")

for tag, where in sorted(code.items()):
    if tag not in tested:
        bad.append(f"{min(where)}: [{tag}] has no test")
everywhere = set(code) | set(tags_of(
    files(*(f"{layer}/**/*.[ch]" for layer in
            ("store", "federation", "node", "tools")))))
for tag, where in sorted(tested.items()):
    if tag not in everywhere:
        bad.append(f"{min(where)}: [{tag}] is not in the code")

used = {}
for path in sources:
    for name in re.findall(r"\bMLS_RULE_([A-Z_0-9]+)\b", open(path).read()):
        used.setdefault(name, path)
for name, (tag, section) in table.items():
    if name not in used:
        bad.append(f"{RULES}: {name} is not enforced anywhere")
    cited = [c for cs in code.get(tag, {}).values() for c in cs]
    # sections in a comment that names several rules: any of them
    if cited and not any(re.search(rf"RFC 9420\b.*\b{re.escape(section)}(?![.\d])", c, re.S)
                         for c in cited):
        bad.append(f"{min(code[tag])}: [{tag}] is not cited as RFC 9420 {section}")
    if name in used and not cited:
        bad.append(f"{used[name]}: MLS_RULE_{name} without a comment [{tag}]")
for name, path in sorted(used.items()):
    if name not in table and name not in ("NONE", "COUNT_", "VALUE"):
        bad.append(f"{path}: MLS_RULE_{name} is not in {RULES}")

if bad:
    print("\n".join(bad))
sys.exit(1 if bad else 0)
