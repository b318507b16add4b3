# SPDX-License-Identifier: Apache-2.0
"""A conversation that Riverside only carries, in the words of the tests."""
from desk import B, connected, joined, told
from harness import check, wait_for

ANN = "Ann Miller"
SUBJECT = "Subjectmark oncology 7731"
FROM_B = "Plainmark from Hillside 4402"
FROM_ANN = "Plainmark from Ann 9157"
KNOWN = "Knownmark to Riverside 1280"  # what must be found, or we are blind


def group(node):
    found = [c for c in node.do("inbox", "--patients")["conversations"]
             if c["clinics"]]
    return found[0]["id"] if found else None


def private(world, before=None):
    """Hillside and Ann alone, Riverside relaying; the ids at Hillside."""
    a, b = connected(world, before=before)
    p = joined(world, a)
    a.do("send", ANN, KNOWN)
    a.do("thread", "new", ANN, B, "--purpose", "a second opinion")
    wait_for("the question", lambda: p.do("consents")["consents"])
    p.do("consent", "accept", "1", "--yes")
    shared = wait_for("it at Hillside", lambda: group(b))
    patient = b.do("patients")["patients"][0]["id"]
    refused = b.cli("thread", "new", patient, "--title", SUBJECT)
    check(refused.code != 0, "alone with the patient without a yes")
    b.do("thread", "ask", shared, patient, "--purpose", "between us")
    asked = wait_for("the question", lambda: [
        c for c in p.do("consents")["consents"] if c["state"] == "asked"])
    p.do("consent", "accept", str(asked[0]["number"]), "--yes")
    wait_for("the yes at Hillside", lambda: [
        c for c in b.do("consents")["consents"]
        if c["said"] == "yes" and c["clinic"] == B])
    made = wait_for("Hillside to be allowed", lambda: (
        lambda r: r.json["id"] if r.code == 0 else None)(
            b.cli("thread", "new", patient, "--title", SUBJECT, "--json")))
    alone = wait_for("the app to have it", lambda: [
        t for t in p.do("threads")["threads"] if t["title"] == SUBJECT])
    b.do("send", made, FROM_B)
    number = str(alone[0]["number"])
    p.do("send", number, FROM_ANN)
    wait_for("it at Hillside", lambda: told(b, made) == [FROM_B, FROM_ANN])
    wait_for("it in the app", lambda: FROM_B in [
        m.get("text") for m in p.do("show", number)["messages"]])
    return a, b, p, made, number
