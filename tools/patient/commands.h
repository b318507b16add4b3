/* SPDX-License-Identifier: Apache-2.0 */
/* What `balsam-patient` can do. */
#ifndef TOOLS_PATIENT_COMMANDS_H
#define TOOLS_PATIENT_COMMANDS_H

#include "tools/common/table.h"

/* The table of `balsam-patient`. */
const struct tool_table *tool_patient_table(void);

#endif
