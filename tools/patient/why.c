/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/patient/why.h"

const char *
tool_patient_why(enum fed_why why)
{
    switch (why) {
    case FED_WHY_NO_ADDRESS:
        return "its address is not known. Is this device on the internet?";
    case FED_WHY_TIMEOUT:
    case FED_WHY_SILENT:
    case FED_WHY_STALLED:
        return "there is no answer. Is this device on the internet?";
    case FED_WHY_REFUSED:
        return "its computer does not answer; it may be off.";
    case FED_WHY_WRONG_PEER:
        return "another computer answers at its address. Nothing was sent. "
               "Tell the clinic.";
    case FED_WHY_BAD_BYTES:
        return "what answers at its address is something else. Tell the "
               "clinic.";
    case FED_WHY_NOT_ACCEPTED:
        return "it did not take this device. If it stays so, ask the clinic: "
               "the device may have been stopped as lost.";
    case FED_WHY_OUTDATED:
        return "it knows a newer copy of this device. Go on with that one, or "
               "ask the clinic.";
    case FED_WHY_OLD_PEER:
        return "what answers is an older copy of it, or its key was revoked. "
               "Nothing was sent. Tell the clinic.";
    case FED_WHY_EXPIRED:
        return "by its clock this device's certificate has expired. Are date "
               "and time right here?";
    case FED_WHY_EXPIRED_PEER:
        return "by the clock here its certificate has expired. Are date and "
               "time right here? If they are, tell the clinic.";
    case FED_WHY_QUOTA:
        return "it takes no more from here now.";
    case FED_WHY_NO_MEMORY:
        return "there is no memory here.";
    case FED_WHY_NONE:
    case FED_WHY_CLOSED_HERE:
    case FED_WHY_CLOSED_THERE:
    case FED_WHY_LOST:
    case FED_WHY_REPLACED:
    case FED_WHY_REVOKED:
    case FED_WHY_SHUTDOWN:
    case FED_WHY_COUNT_:
        break;
    }
    return "the connection ended.";
}
