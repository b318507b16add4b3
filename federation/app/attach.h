/* SPDX-License-Identifier: Apache-2.0 */
/* How a file of a message stands; as app.h. */
#ifndef FEDERATION_APP_ATTACH_H
#define FEDERATION_APP_ATTACH_H

#include "federation/app/app.h"

enum fed_app_file_state {
    FED_APP_FILE_AWAY = 0,   /* not fetched */
    FED_APP_FILE_MOVING = 1, /* on its way, or waits for its clinic */
    FED_APP_FILE_DONE = 2,   /* here, or where its message goes */
    FED_APP_FILE_FAILED = 3
};

struct fed_app_file {
    enum fed_app_file_state state;
    bool up;
    uint64_t pieces; /* of FED_CHUNK_PLAIN bytes, the last one shorter */
    uint64_t moved;  /* of them, as far as it is known since the app began */
};

/* ERR_MISSING  no such file */
MUST_CHECK enum err fed_app_file(struct fed_app *app,
                                 const struct thread_id *thread,
                                 uint64_t number, size_t index,
                                 struct fed_app_file *out);

#endif
