/* SPDX-License-Identifier: Apache-2.0 */
/* Why a clinic is not reached, for a patient, and what to do. */
#ifndef TOOLS_PATIENT_WHY_H
#define TOOLS_PATIENT_WHY_H

#include "federation/net.h"

/* Behind "... cannot be reached now: "; a sentence or two. */
const char *tool_patient_why(enum fed_why why);

#endif
