#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A patient of clinic a joins and, with their yes, talks with clinic b alone,
a relaying: by the commands that people use.  Prints the number of that
conversation in the app.

    relayed.py BIN DATA_A DATA_B NAME_OF_B APP_FOLDER
"""
import json
import os
import subprocess
import sys
import time

BIN, A, B, B_NAME, APP = sys.argv[1:]
PATIENT = "Ann Miller"
TITLE = "Between us"


def run(program, data, *words):
    p = subprocess.run([os.path.join(BIN, program), "--data", data, *words,
                        "--json"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, check=False)
    return json.loads(p.stdout) if p.returncode == 0 else None


def wait(what, probe):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"relayed.py: no {what}")


def accept():
    """The app's patient says yes to what is asked."""
    asked = wait("question in the app", lambda: [
        c for c in (run("balsam-patient", APP, "consents") or {}).get(
            "consents", []) if c["state"] == "asked"])
    run("balsam-patient", APP, "consent", "accept", str(asked[0]["number"]),
        "--yes")


link = run("balsam", A, "invite", PATIENT)["invitations"][0]["link"]
run("balsam-patient", APP, "join", link, "--name", PATIENT, "--yes")
wait("patient at a", lambda: run("balsam", A, "thread", "new", PATIENT, B_NAME,
                                 "--purpose", "a second opinion"))
accept()
shared = wait("conversation at b", lambda: [
    c for c in run("balsam", B, "inbox", "--patients")["conversations"]
    if c["clinics"]])[0]["id"]
patient = wait("patient at b",
               lambda: run("balsam", B, "patients")["patients"])[0]["id"]
wait("question", lambda: run("balsam", B, "thread", "ask", shared, patient,
                             "--purpose", "between us"))
accept()
wait("conversation of two", lambda: run("balsam", B, "thread", "new", patient,
                                        "--title", TITLE))
print(wait("conversation in the app", lambda: [
    t for t in run("balsam-patient", APP, "threads")["threads"]
    if t["title"] == TITLE])[0]["number"])
