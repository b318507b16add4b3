#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small rules for our C sources that no compiler checks.

Banned calls, the SPDX line, guards, file length, a test for each source, the
callers of proto_phi_reveal, a fuzz target and a corpus for each decoder.
Exceptions are counted and listed in tools/check/exceptions, with the reason.
"""
import glob
import os
import re
import sys

LAYERS = ["proto", "crypto", "store", "federation", "node", "tools"]
HERE = "tools/check/"
BANNED = [
    # what, where it is allowed, what to do instead
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(", [],
     "use a bounded call"),
    (r"\b(rand|srand|random)\s*\(", [], "randomness is handed in"),
    (r"(?<![\w>.])(malloc|calloc|realloc|free|strdup|strndup)\s*\(",
     ["proto/base/bytes.c", "store/env.c", "store/env_open.c"],
     "memory is handed in"),
    (r"\b(printf|puts|putchar|perror)\s*\(", ["tools/", "node/log_sink.c"],
     "only tools/ prints"),
    (r"\babort\s*\(|<assert\.h>", ["proto/base/assert.c"], "use ASSERT"),
    (r"\bgoto\s+(?!out\b)", [], "the one label is out"),
    (r"\btypedef\s+(struct|enum)\b", [], "no typedef for structs and enums"),
    (r"\b(time|gettimeofday|clock_gettime)\s*\(",
     ["node/", "tools/", "federation/io_nng.c", "store/writer.c"],
     "time is handed in"),
]
bad = []


def exceptions():
    found = {}
    for line in open(HERE + "exceptions"):
        words = line.split("#", 1)[0].split()
        if words and words[0] == "covered":
            test, sources = words[1], words[2:]
            if not os.path.exists(test):
                bad.append(f"{HERE}exceptions: no such test {test}")
            found.setdefault("untested", set()).update(sources)
        elif words:
            found.setdefault(words[0], set()).add(words[1])
    return found


def strip(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text,
                  flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def check_file(path, allow, reveals):
    raw = open(path).read()
    code = strip(raw)
    if "SPDX-License-Identifier: Apache-2.0" not in raw.split("\n", 1)[0]:
        bad.append(f"{path}: first line is the SPDX line")
    if raw.count("\n") > 600 and path not in allow.get("long", ()):
        bad.append(f"{path}: {raw.count(chr(10))} lines; split the second idea")
    if path.endswith(".h"):
        guard = re.sub(r"[/.]", "_", path).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in raw:
            bad.append(f"{path}: guard is {guard}")
    check_forgiven(path, code)
    for n, line in enumerate(code.split("\n"), 1):
        for pattern, where, instead in BANNED:
            if re.search(pattern, line) and not any(
                    path.startswith(w) for w in where):
                if path not in allow.get("banned", ()):
                    bad.append(f"{path}:{n}: {line.strip()[:60]}: {instead}")
        if "proto_phi_reveal" in line and path not in (
                "proto/base/phi.h", "proto/base/phi.c"):
            reveals.add(path)


FORGIVES = re.compile(r"TRY\(.*(\? OK : e|\? e : OK)\);$")
LOOKS = re.compile(r"\be (==|!=) |\be \? ")


def check_forgiven(path, text):
    """TRY(e == ERR_MISSING ? OK : e) makes e OK: who looks at e behind it, to
    see whether it was missing, sees nothing."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if "TRY(" not in line:
            continue
        end = i
        while not lines[end].rstrip().endswith(");") and end < i + 4:
            end += 1
        if not FORGIVES.search(" ".join(x.strip() for x in lines[i:end + 1])):
            continue
        for n in range(end + 1, min(end + 5, len(lines))):
            if LOOKS.search(lines[n]):
                bad.append(f"{path}:{n + 1}: e is OK here, by the TRY above: "
                           "if (e != OK && e != ...) { goto out; }")
            if re.search(r"\be = |\bTRY\(|^out:|^}", lines[n]):
                break


def check_test(path, allow):
    if path.endswith("_main.c") or path in allow.get("untested", ()):
        return
    base = path[:-2]
    parent = os.path.dirname(path)
    stem = os.path.basename(base)
    candidates = [f"tests/{base}_test.c", f"tests/{parent}_test.c"]
    # one test may serve a family: tls_rd.c and tls_wr.c, tls_test.c
    while "_" in stem:
        stem = stem.rsplit("_", 1)[0]
        candidates.append(f"tests/{parent}/{stem}_test.c")
    if not any(os.path.exists(c) for c in candidates):
        bad.append(f"{path}: no test; write tests/{base}_test.c")


def check_fuzz():
    for target in glob.glob("tests/fuzz/*_fuzz.c"):
        name = os.path.basename(target)[:-len("_fuzz.c")]
        if not glob.glob(f"tests/fuzz/corpus/{name}/*"):
            bad.append(f"{target}: no corpus in tests/fuzz/corpus/{name}/")


allow = exceptions()
reveals = set()
for layer in LAYERS:
    for path in sorted(glob.glob(f"{layer}/**/*.[ch]", recursive=True)):
        if "node_modules" in path:
            continue
        check_file(path, allow, reveals)
        if path.endswith(".c"):
            check_test(path, allow)
check_fuzz()
listed = {line.strip() for line in open(HERE + "phi_readers")
          if line.strip() and not line.startswith("#")}
for path in sorted(reveals - listed):
    bad.append(f"{path}: calls proto_phi_reveal, not in {HERE}phi_readers")
for path in sorted(listed - reveals):
    bad.append(f"{HERE}phi_readers lists {path}, which reveals nothing")
for rule, paths in allow.items():
    for path in paths:
        if rule != "complex" and not os.path.exists(path):
            bad.append(f"{HERE}exceptions: {rule} {path}: no such file")
print("\n".join(bad))
sys.exit(1 if bad else 0)
