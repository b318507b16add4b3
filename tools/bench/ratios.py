#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lines of a bench run as ratios to its floors, with what is wanted.

Of several rounds the best one counts for times and rates, the node's best
beside the floor's best: others on the machine only make either worse, and a
floor that was disturbed shall not flatter us.  The lowest counts for CPU, beside
the mean of the two floor runs around it.
"""
import json
import sys

rows = {}
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    rows.setdefault(row.get("bench", "?"), []).append(row)


def floors(name, i, key):
    f = rows.get(name, [])[i:i + 2]
    return sum(r[key] for r in f) / len(f) if f else None


table = []


def say(name, node, floor, wanted, reached):
    table.append((name, f"{node:.3f}".rstrip("0").rstrip("."),
                  f"{node / floor:.2f}" if floor else "", wanted,
                  "reached" if reached else "missed"))
    print(json.dumps({"ratio": name, "node": round(node, 3),
                      "floor": round(floor, 3) if floor else None,
                      "ratio_to_floor":
                          round(node / floor, 2) if floor else None,
                      "wanted": wanted, "reached": bool(reached)}))


def best(name, key, floor_name, pick, wanted, limit, low):
    got = [r[key] for r in rows.get(name, [])]
    beside = [r[key] for r in rows.get(floor_name, [])]
    if got and beside:
        node, floor = pick(got), pick(beside)
        say(f"{name}.{key}", node, floor, wanted,
            node / floor <= limit if low else node / floor >= limit)


best("node_sustained", "per_s", "floor_sustained", max, "at least 0.50", 0.5,
     False)
best("node_single", "p50_ms", "floor_single", min, "at most 1.6", 1.6, True)
best("node_single", "p99_ms", "floor_single", min, "at most 1.6", 1.6, True)
best("app_relayed", "p50_ms", "node_single", min, "at most 2.0", 2, True)
cpu = [r["cpu_us_a"] + r["cpu_us_b"] for r in rows.get("node_sustained", [])]
if cpu:
    i = cpu.index(min(cpu))
    floor = sum(floors("floor_sustained", i, k)
                for k in ("cpu_us_a", "cpu_us_b"))
    say("node_sustained.cpu_us_both", min(cpu), floor, "at most 170 us",
        min(cpu) <= 170)
for side in "ab":
    disk = [r[f"disk_bytes_{side}"] for r in rows.get("node_sustained", [])]
    if disk:
        say(f"node_sustained.disk_bytes_{side}", min(disk),
            floors("floor_sustained", 0, "disk_bytes_b"),
            "at most 1600 bytes", min(disk) <= 1600)
for r in rows.get("node_fan", []):
    floor = r["one_ms"] + (r["members"] - 1) * r["frame_us"] / 1e3
    say(f"node_fan.fan_ms of {r['members']}", r["fan_ms"], floor,
        "at most 2.0", r["fan_ms"] <= 2 * floor)
for r in rows.get("node_devices", []):
    say(f"inbox us with {r['joined']} patients", r["inbox_us"],
        r["inbox_few_us"], "at most 1.5",
        r["inbox_us"] <= 1.5 * r["inbox_few_us"])
for name, key, limit, unit in (("node_start", "ms", 25, "ms"),
                               ("node_start_large", "ms", 25, "ms"),
                               ("node_rest", "private_kib", 9 * 1024, "KiB"),
                               ("store_inbox", "page_us", 100, "us"),
                               ("store_past", "entry_us", 100, "us"),
                               ("node_back", "ms", 2000, "ms"),
                               ("node_peers", "kib_each", 45, "KiB"),
                               ("node_peers", "private_kib", 60 * 1024,
                                "KiB"),
                               ("node_devices", "kib_each", 45, "KiB")):
    got = [r[key] for r in rows.get(name, []) if key in r]
    if got:
        say(f"{name}.{key}", min(got), None, f"at most {limit} {unit}",
            min(got) <= limit)

print(f"\n{'':34}{'node':>11} {'to floor':>9}  wanted")
for name, node, ratio, wanted, how in table:
    print(f"{name:34}{node:>11} {ratio:>9}  {wanted}: {how}")
