#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tree reads left to right: proven from what the compiler recorded.

From the .d files: a source includes only through its layer's view (no ../, no
bare "x.h"), and vendor headers are seen only behind the file that owns them.
From nm: no symbol of a higher layer is used, and every export has its layer's
prefix.  With --unused: also lists exports that no other file uses.
"""
import glob
import os
import re
import subprocess
import sys

LAYERS = ["proto", "crypto", "store", "federation", "node", "tools"]
PREFIX = {
    "proto": "proto_ err_ bytes_ view_ mem_ arena_ log_ phi_ assert_",
    "crypto": "prim_ mls_ ident_ tlsp_",
    "store": "store_",
    "federation": "fed_",
    "node": "node_",
    "tools": "tool_",
}
# vendor header -> path prefixes that may see it
VENDOR = {
    "lmdb.h": ["store/env.c", "store/env_open.c", "store/env_room.c",
               "tools/bench/floor_db.c"],
    "nng/": ["federation/io_nng.c"],
    "sodium": ["crypto/prim/"],
    "openssl/": ["crypto/prim/", "crypto/tls/", "tools/bench/floor_tls.c"],
    "msgpack": ["proto/wire/"],
    "jansson": ["node/", "tools/"],
    "qrencode.h": ["node/qr.c"],
    "png.h": ["node/qr.c"],
    "wslay/": [],
    "http_parser.h": [],
    "curl/": [],
    "pango-1.0/": ["tools/paper/"],
    "cairo/": ["tools/paper/"],
    "glib-2.0/": ["tools/paper/"],
}
OBJ = "build/plain/obj"
bad = []


def layer_of(path):
    first = path.split("/", 1)[0]
    return first if first in LAYERS else None


def check_includes():
    for d in glob.glob(f"{OBJ}/**/*.d", recursive=True):
        text = open(d).read().replace("\\\n", " ")
        words = text.split("\n", 1)[0].split(":", 1)[1].split()
        source = words[0]
        layer = layer_of(source)
        if layer is None or not os.path.exists(source):
            continue
        for header in words[1:]:
            m = re.match(r"build/view/([\w-]+)/(.*)", header)
            if m:
                seen = layer_of(m.group(2))
                if seen is None or LAYERS.index(seen) > LAYERS.index(layer):
                    bad.append(f"{source} includes {m.group(2)}: not to its "
                               "left")
            elif header.startswith("/usr/"):
                for vendor, owners in VENDOR.items():
                    if (re.match(r"/usr/(local/)?include/(x86_64-linux-gnu/)?"
                                 + re.escape(vendor), header)
                            and not any(source.startswith(o) for o in owners)):
                        bad.append(f"{source} sees {header}: only "
                                   f"{' '.join(owners)} may")
                        break
            else:
                bad.append(f"{source} includes {header}: write it as "
                           '"layer/file.h"')


def symbols():
    defined, used = {}, {}
    for o in glob.glob(f"{OBJ}/**/*.o", recursive=True):
        source = os.path.relpath(o, OBJ)[:-2] + ".c"
        if not os.path.exists(source):
            continue
        out = subprocess.run(["nm", "-P", o], stdout=subprocess.PIPE,
                             check=True).stdout.decode()
        for line in out.splitlines():
            parts = line.split()
            name, kind = parts[0], parts[1]
            if kind == "U":
                used.setdefault(name, set()).add(source)
            elif kind.isupper() and kind not in "Vw":
                defined[name] = source
    return defined, used


def check_symbols():
    defined, used = symbols()
    for name, source in sorted(defined.items()):
        layer = layer_of(source)
        if layer is None or source.endswith("_main.c"):
            continue
        if not name.startswith(tuple(PREFIX[layer].split())):
            bad.append(f"{source} exports {name}: prefix is one of "
                       f"{PREFIX[layer]}")
        users = used.get(name, set())
        if not users and "--unused" in sys.argv:
            bad.append(f"{source} exports {name}, which nobody uses: make it "
                       "static or remove it")
        for user in users:
            user_layer = layer_of(user)
            if user_layer and LAYERS.index(user_layer) < LAYERS.index(layer):
                bad.append(f"{user} calls {name} of {source}: not to its left")


if not os.path.isdir(OBJ):
    sys.exit("build first: make bins tests")
check_includes()
check_symbols()
print("\n".join(sorted(set(bad))))
sys.exit(1 if bad else 0)
