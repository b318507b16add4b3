/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: say, files, leave. */
#include "tools/common/target.h"
#include "tools/patient/describe.h"

#include "proto/base/phi.h"

#include "crypto/prim/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------------- say */

struct attached {
    void *map;
    size_t len;
    struct fed_app_file_in in;
};

static enum tool_exit
attach(const char *path, struct attached *out)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (fd < 0) {
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be read: %s", path,
                        strerror(errno));
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return tool_say(TOOL_EXIT_FAILED, "%s is not a file.", path);
    }
    out->len = (size_t)st.st_size;
    out->map = out->len == 0
                   ? NULL
                   : mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (out->map == MAP_FAILED) {
        out->map = NULL;
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be read.", path);
    }
    out->in.name = view_str(slash == NULL ? path : slash + 1);
    if (!proto_utf8_valid(out->in.name)) {
        out->in.name = VIEW_LIT("file");
    }
    out->in.bytes = view_make(out->map, out->len);
    return TOOL_EXIT_OK;
}

struct sent {
    struct thread_id thread;
    struct message_id id;
    bool handed; /* it was on its way to the clinic */
};

static enum err
find_sent(struct fed_app *app, const struct sent *s,
          struct fed_app_message *out, struct bytes *hold)
{
    struct fed_app_thread t;
    struct bytes th = {0};
    enum err e = fed_app_thread(app, &s->thread, &t, &th);

    for (uint64_t n = t.messages; e == OK && n > 0; n--) {
        e = fed_app_message(app, &s->thread, n, out, hold);
        if (e == OK && message_id_equal(&out->id, &s->id)) {
            break;
        }
    }
    bytes_free(&th);
    return e;
}

/* The hub has it; or, where another clinic is the hub, our own one has. */
static bool
is_there(void *ctx, struct fed_app *app)
{
    struct sent *s = ctx;
    struct fed_app_message m;
    struct fed_app_thread t;
    struct fed_app_clinic hub;
    struct bytes hold = {0};
    struct bytes th = {0};
    struct bytes ch = {0};
    bool yes = false;

    if (find_sent(app, s, &m, &hold) == OK &&
        fed_app_thread(app, &s->thread, &t, &th) == OK) {
        bool direct = fed_app_clinic(app, &t.hub, &hub, &ch) == OK && hub.up;

        yes = m.state != FED_MESSAGE_QUEUED || (s->handed && !direct);
    }
    bytes_free(&hold);
    bytes_free(&th);
    bytes_free(&ch);
    return yes;
}

/* Why a clinic does not move a file. */
static enum tool_exit
say_refused(const struct tool_patient *p)
{
    return p->file_end == FED_APP_FILE_QUOTA
               ? tool_say(TOOL_EXIT_FAILED,
                          "The file was not taken: that is more than the "
                          "clinic takes from one patient in a day. Try again "
                          "tomorrow, or send less.")
               : tool_say(TOOL_EXIT_FAILED,
                          "The clinic does not move this file: you are not in "
                          "this conversation with it any more.");
}

/* What the conversation is called: to whom it went. */
static void
put_to(struct tool_patient *p, const struct thread_id *thread)
{
    struct fed_app_thread t;
    struct bytes hold = {0};

    if (fed_app_thread(p->app, thread, &t, &hold) == OK) {
        json_t *row = tool_patient_thread_row(p, &t);

        (void)json_object_set(p->out, "title", json_object_get(row, "title"));
        json_decref(row);
    }
    bytes_free(&hold);
}

static enum tool_exit
say_how(struct tool_patient *p, struct sent *s, enum tool_exit code)
{
    struct fed_app_message m;
    struct bytes hold = {0};

    if (find_sent(p->app, s, &m, &hold) == OK) {
        (void)json_object_set_new(p->out, "message",
                                  tool_patient_message_row(p, &m));
        put_to(p, &s->thread);
        if (m.state == FED_MESSAGE_FAILED && p->file_end != FED_APP_FILE_HERE) {
            code = say_refused(p);
        } else if (m.state == FED_MESSAGE_FAILED) {
            code = tool_say(TOOL_EXIT_FAILED,
                            "The clinic refused it. Look at the conversation: "
                            "balsam-patient show");
        }
    }
    bytes_free(&hold);
    return code;
}

/* Something of ours is on its way in a thread: wait for it. */
static enum tool_exit
deliver(struct tool_patient *p, struct sent *s)
{
    struct fed_app_sync sync;
    enum err e = fed_run_turn(p->run);

    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    fed_app_sync(p->app, &sync);
    s->handed = sync.queued > 0 || sync.files > 0;
    return say_how(p, s, tool_patient_finish(p, is_there, s));
}

static enum tool_exit
text_of(struct tool_patient *p, size_t files, struct bytes *hold,
        struct view *out)
{
    if (p->args.arg_len > 1) {
        *out = view_str(p->args.arg[1]);
    } else if (files == 0) {
        if (tool_read_all(STDIN_FILENO, hold) != OK) {
            return tool_say(TOOL_EXIT_FAILED, "There is no memory.");
        }
        *out = view_of(hold);
    }
    return proto_utf8_valid(*out)
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_USAGE, "The text is not UTF-8. Send it as "
                                           "a file: --attach.");
}

/* Who has ended the connection through which the conversation goes. */
static enum tool_exit
is_cut(struct tool_patient *p, const struct fed_app_thread *t)
{
    char words[TOOL_WAY_MAX];
    json_t *row = tool_patient_thread_row(p, t);

    tool_patient_way(row, words);
    json_decref(row);
    return tool_say(TOOL_EXIT_FAILED, "%s", words);
}

/* Into some conversations nothing can be written. */
static enum tool_exit
can_write(struct tool_patient *p, const struct thread_id *thread)
{
    struct fed_app_thread t;
    struct bytes hold = {0};
    enum tool_exit code = TOOL_EXIT_OK;

    if (fed_app_thread(p->app, thread, &t, &hold) != OK) {
        goto out; /* whoever writes says so */
    }
    if (t.away) {
        code = tool_say(TOOL_EXIT_FAILED,
                        "This conversation is not on this device yet. Where it "
                        "does not come by itself, open a link of the clinic "
                        "again: balsam-patient join LINK");
    } else if (!clinic_id_is_zero(&t.cut)) {
        code = is_cut(p, &t);
    }
out:
    bytes_free(&hold);
    return code;
}

static enum tool_exit
send_to(struct tool_patient *p, struct sent *s, const struct attached *files,
        size_t n)
{
    struct fed_app_file_in in[LIMIT_ATTACHMENTS];
    struct bytes hold = {0};
    struct view text = {0};
    uint64_t reply = 0;
    enum tool_exit code = can_write(p, &s->thread);
    enum err e = OK;

    code = code == TOOL_EXIT_OK ? text_of(p, n, &hold, &text) : code;
    if (code == TOOL_EXIT_OK && tool_args_has(&p->args, "--reply")) {
        code = tool_patient_number(tool_args_value(&p->args, "--reply", ""),
                                   &reply);
    }
    for (size_t i = 0; i < n; i++) {
        in[i] = files[i].in;
    }
    if (code == TOOL_EXIT_OK) {
        e = fed_app_send(p->app, &s->thread, text, reply, in, n, &s->id);
        code = e == OK ? deliver(p, s) : tool_patient_failed(p, e);
    }
    bytes_free(&hold);
    return code;
}

enum tool_exit
tool_patient_send(struct tool_patient *p)
{
    struct attached files[LIMIT_ATTACHMENTS] = {{.len = 0}};
    struct sent s = {.handed = false};
    const char *path;
    size_t n = 0;
    enum tool_exit code = TOOL_EXIT_OK;

    while (code == TOOL_EXIT_OK &&
           (path = tool_args_nth(&p->args, "--attach", n)) != NULL) {
        code = n == LIMIT_ATTACHMENTS ? tool_say(TOOL_EXIT_USAGE,
                                                 "A message has at most %u "
                                                 "files.",
                                                 LIMIT_ATTACHMENTS)
                                      : attach(path, &files[n++]);
    }
    code = code == TOOL_EXIT_OK ? tool_patient_thread(p, &s.thread) : code;
    code = code == TOOL_EXIT_OK ? send_to(p, &s, files, n) : code;
    for (size_t i = 0; i < n; i++) {
        if (files[i].map != NULL) {
            (void)munmap(files[i].map, files[i].len);
        }
    }
    return code;
}

/* The thread and the message that the first two words name. */
static enum tool_exit
named(struct tool_patient *p, struct thread_id *thread, uint64_t *number)
{
    enum tool_exit code = tool_patient_number(p->args.arg[1], number);

    return code == TOOL_EXIT_OK ? tool_patient_thread(p, thread) : code;
}

/* What was said about another message is settled when all is. */
static bool
none_waits(void *ctx, struct fed_app *app)
{
    struct fed_app_thread t;
    struct bytes hold = {0};
    bool yes = fed_app_thread(app, ctx, &t, &hold) == OK && t.waiting == 0;

    bytes_free(&hold);
    return yes;
}

static enum tool_exit
about(struct tool_patient *p, struct thread_id *thread, enum err e)
{
    return e == OK ? tool_patient_finish(p, none_waits, thread)
                   : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_edit(struct tool_patient *p)
{
    struct thread_id thread;
    uint64_t number;
    enum tool_exit code = named(p, &thread, &number);

    return code == TOOL_EXIT_OK ? about(p, &thread,
                                        fed_app_edit(p->app, &thread, number,
                                                     view_str(p->args.arg[2])))
                                : code;
}

enum tool_exit
tool_patient_delete(struct tool_patient *p)
{
    struct thread_id thread;
    uint64_t number;
    enum tool_exit code = named(p, &thread, &number);

    if (code == TOOL_EXIT_OK && !tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Take this message back, at everybody who has it?")) {
        return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    return code == TOOL_EXIT_OK
               ? about(p, &thread, fed_app_delete(p->app, &thread, number))
               : code;
}

enum tool_exit
tool_patient_react(struct tool_patient *p)
{
    struct thread_id thread;
    uint64_t number;
    enum tool_exit code = named(p, &thread, &number);

    return code == TOOL_EXIT_OK
               ? about(p, &thread,
                       fed_app_react(p->app, &thread, number,
                                     view_str(p->args.arg[2]), true))
               : code;
}

enum tool_exit
tool_patient_leave(struct tool_patient *p)
{
    struct thread_id thread;
    enum tool_exit code = tool_patient_thread(p, &thread);
    enum err e;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (!tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Leave this conversation? Others keep what they have.")) {
        return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    e = fed_app_leave(p->app, &thread);
    return e == OK ? tool_patient_finish(p, NULL, NULL)
                   : tool_patient_failed(p, e);
}

/* -------------------------------------------------------------------- files */

struct wanted {
    const struct tool_patient *p;
    struct thread_id thread;
    uint64_t number;
    size_t index;
};

static bool
is_here(void *ctx, struct fed_app *app)
{
    const struct wanted *w = ctx;

    return w->p->file_end != FED_APP_FILE_HERE ||
           fed_app_fetch(app, &w->thread, w->number, w->index) == ERR_EXISTS;
}

static enum tool_exit
write_pieces(struct tool_patient *p, const struct wanted *w, int fd)
{
    enum err e = OK;

    for (size_t i = 0; e == OK; i++) {
        struct bytes piece = {0};
        size_t done = 0;

        e = fed_app_file_piece(p->app, &w->thread, w->number, w->index, i,
                               &piece);
        while (e == OK && done < piece.len) {
            ssize_t n = write(fd, piece.p + done, piece.len - done);

            e = n < 0 && errno != EINTR ? ERR_IO : OK;
            done += n > 0 ? (size_t)n : 0;
        }
        bytes_free(&piece);
    }
    if (e == ERR_MISSING) {
        return TOOL_EXIT_OK; /* past the last piece */
    }
    return e == ERR_IO ? tool_say(TOOL_EXIT_FAILED, "It cannot be written: %s",
                                  strerror(errno))
                       : tool_say(TOOL_EXIT_FAILED,
                                  "The file is not what the message says "
                                  "(%s). It was not saved.",
                                  err_name(e));
}

static enum tool_exit
save(struct tool_patient *p, const struct wanted *w, const char *path)
{
    struct tool_target t;
    enum tool_exit code = tool_target_open(path, &t);

    if (code == TOOL_EXIT_OK) {
        code = write_pieces(p, w, t.fd);
    }
    return tool_target_close(&t, code);
}

/* Until it is here, or somebody says no. */
static enum tool_exit
fetch(struct tool_patient *p, struct wanted *w)
{
    enum err e = fed_run_turn(p->run);

    if (e == OK && !p->offline) {
        e = fed_run_wait(p->run, is_here, w, p->wait_ms);
    }
    if (e == ERR_TIMEOUT || (e == OK && p->offline)) {
        return tool_say(TOOL_EXIT_WAITS, "The file has not come yet. Try "
                                         "again, or with a longer --wait.");
    }
    if (e == OK && p->file_end != FED_APP_FILE_HERE) {
        return say_refused(p);
    }
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_save(struct tool_patient *p)
{
    struct wanted w = {.p = p};
    uint64_t index = 1;
    enum tool_exit code = named(p, &w.thread, &w.number);
    enum err e;

    if (code == TOOL_EXIT_OK && tool_args_has(&p->args, "--index")) {
        code = tool_patient_number(tool_args_value(&p->args, "--index", ""),
                                   &index);
    }
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    w.index = index > 0 ? (size_t)index - 1 : LIMIT_ATTACHMENTS;
    e = fed_app_fetch(p->app, &w.thread, w.number, w.index);
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED, "This message has no such file.");
    }
    code = e == OK           ? fetch(p, &w)
           : e == ERR_EXISTS ? code
                             : tool_patient_failed(p, e);
    return code == TOOL_EXIT_OK ? save(p, &w, p->args.arg[2]) : code;
}
