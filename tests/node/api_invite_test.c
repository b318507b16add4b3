/* SPDX-License-Identifier: Apache-2.0 */
/* Inviting patients, alone and a panel at once, asked as the desk asks. */
#include "tests/node/api_fix.h"
#include "tests/support/tmp.h"

#include <fcntl.h>

static struct end end;

static json_t *
first(const json_t *answer)
{
    return json_array_get(json_object_get(answer, "invitations"), 0);
}

/* How many invitations are listed in this state. */
static size_t
count(const char *flags, const char *state)
{
    json_t *a = good(&end, "invites", "[]", flags);
    size_t n = 0;
    size_t i;
    const json_t *o;

    json_array_foreach(json_object_get(a, "invitations"), i, o)
    {
        n += state == NULL || strcmp(text(o, "state"), state) == 0 ? 1 : 0;
    }
    json_decref(a);
    return n;
}

static size_t
contacts(void)
{
    json_t *a = good(&end, "contact find", "[]", "{}");
    size_t n = json_array_size(json_object_get(a, "contacts"));

    json_decref(a);
    return n;
}

TEST(an_invited_patient_shows_as_invited)
{
    json_t *a;
    struct proto_link link;
    enum proto_link_fault fault;

    end_make(&end, "Clinic A");
    a = good(&end, "invite", "[\"Ann Miller\"]",
             "{\"birth\": \"1980-02-29\", \"phone\": \"+1 555 0100\", "
             "\"in-person\": true}");
    CHECK_STR(text(a, "clinic"), "Clinic A");
    CHECK_STR(text(first(a), "name"), "Ann Miller");
    CHECK_STR(text(first(a), "state"), "invited");
    CHECK_EQ(json_integer_value(json_object_get(first(a), "tries")), 5);
    CHECK_OK(proto_link_parse(view_str(text(first(a), "link")),
                              store_now_ms(end.api.store) / 1000, &link,
                              &fault));
    CHECK_EQ(link.flags, PROTO_LINK_ONE_TIME | PROTO_LINK_IN_PERSON);
    json_decref(a);
    a = good(&end, "contact show", "[\"Ann\"]", "{}");
    CHECK_STR(text(a, "kind"), "patient");
    CHECK_STR(text(a, "app"), "invited");
    json_decref(a);
    CHECK_EQ(count("{}", "invited"), 1);
    a = good(&end, "link list", "[]", "{}");
    CHECK_EQ(json_array_size(json_object_get(a, "links")), 0);
    json_decref(a);
    end_remove(&end);
}

TEST(what_cannot_be_is_said)
{
    end_make(&end, "Clinic A");
    bad(&end, "invite", "[]", "{}", "invalid");
    bad(&end, "invite", "[\"\"]", "{}", "invalid");
    bad(&end, "invite", "[\"Ann\"]", "{\"birth\": \"1981-02-29\"}", "invalid");
    bad(&end, "invite", "[\"Ann\"]", "{\"phone\": \"twelve\"}", "invalid");
    bad(&end, "invite", "[\"Ann\"]", "{\"email\": \"here\"}", "invalid");
    bad(&end, "invite", "[\"Ann\"]", "{\"expires\": \"soon\"}", "invalid");
    bad(&end, "invite", "[]", "{\"contact\": \"Nobody\"}", "missing");
    CHECK_EQ(contacts(), 0);
    quiet(&end, "invite", "[\"Ann\"]", "{\"phone\": \"+1 555 0100\"}");
    bad(&end, "invite", "[\"Ann\"]", "{\"phone\": \"+1 (555) 0100\"}",
        "invalid");
    quiet(&end, "invite", "[\"Ben\"]", "{\"phone\": \"+1 555 0100\"}");
    CHECK_EQ(contacts(), 2);
    end_remove(&end);
}

TEST(a_saved_contact_is_invited)
{
    json_t *a;

    end_make(&end, "Clinic A");
    quiet(&end, "contact add", "[\"Ann\"]",
          "{\"kind\": \"patient\", \"phone\": \"555010\"}");
    quiet(&end, "contact add", "[\"Dr. Bob\"]", "{}");
    bad(&end, "invite", "[\"Ann\"]", "{\"phone\": \"555010\"}", "invalid");
    bad(&end, "invite", "[]", "{\"contact\": \"Dr. Bob\"}", "invalid");
    a = good(&end, "invite", "[]", "{\"contact\": \"Ann\"}");
    CHECK_STR(text(first(a), "name"), "Ann");
    json_decref(a);
    bad(&end, "invite", "[]", "{\"contact\": \"Ann\"}", "exists");
    CHECK_EQ(contacts(), 2);
    end_remove(&end);
}

TEST(an_invitation_is_replaced_and_revoked)
{
    json_t *a;
    json_t *b;

    end_make(&end, "Clinic A");
    a = good(&end, "invite", "[\"Ann\"]",
             "{\"birth\": \"1980-02-29\", \"email\": \"a@b.org\"}");
    b = good(&end, "invite resend", "[\"Ann\"]", "{\"phone\": \"555010\"}");
    CHECK(strcmp(text(first(a), "link"), text(first(b), "link")) != 0);
    CHECK_STR(text(first(a), "contact"), text(first(b), "contact"));
    CHECK_STR(text(first(b), "email"), "a@b.org");
    CHECK_STR(text(first(b), "phone"), "555010");
    CHECK(json_is_true(json_object_get(first(b), "birth_asked")));
    json_decref(a);
    json_decref(b);
    CHECK_EQ(count("{}", NULL), 1);
    CHECK_EQ(count("{\"all\": true}", "replaced"), 1);
    a = good(&end, "link show", "[\"Ann\"]", "{}"); /* the newer one */
    CHECK_STR(text(a, "state"), "good");
    json_decref(a);
    quiet(&end, "invite revoke", "[\"Ann\"]", "{}");
    CHECK_EQ(count("{}", NULL), 0);
    CHECK_EQ(count("{\"all\": true}", "revoked"), 1);
    quiet(&end, "invite resend", "[\"Ann\"]", "{}"); /* changed our mind */
    CHECK_EQ(count("{}", "invited"), 1);
    CHECK_EQ(contacts(), 1);
    bad(&end, "invite revoke", "[\"Nobody\"]", "{}", "missing");
    end_remove(&end);
}

TEST(an_invitation_is_revoked_as_such)
{
    end_make(&end, "Clinic A");
    quiet(&end, "invite", "[\"Ann\"]", "{}");
    bad(&end, "link revoke", "[\"Ann\"]", "{}", "state");
    bad(&end, "link rotate", "[\"Ann\"]", "{}", "state");
    end_remove(&end);
}

static json_t *
invite_file(const char *csv)
{
    char path[TMP_PATH];
    int fd = tmp_file(path, "balsam-panel-XXXXXX", 0);
    json_t *a;

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, csv, strlen(csv)), (ssize_t)strlen(csv));
    a = ask_files(&end, "invite", "[]", "{\"file\": \"x\"}", &fd, 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink(path), 0);
    return a;
}

TEST(a_panel_is_invited_whole_or_not_at_all)
{
    json_t *a;

    end_make(&end, "Clinic A");
    quiet(&end, "invite", "[\"Ann\"]", "{\"phone\": \"+1 555 0100\"}");
    a = invite_file("name,phone,birth\n"
                    "Bob,,1990-01-01\n"
                    "Cyd,,1990-13-01\n"
                    "Ann,+1 555 0100,\n"
                    ",,\n");
    CHECK(json_is_false(json_object_get(a, "ok")));
    CHECK(strstr(text(a, "say"), "Line 3: The date of birth") != NULL);
    CHECK(strstr(text(a, "say"), "Line 4: This patient is invited") != NULL);
    CHECK(strstr(text(a, "say"), "Line 2") == NULL);
    json_decref(a);
    CHECK_EQ(count("{}", NULL), 1);
    CHECK_EQ(contacts(), 1);
    a = invite_file("name;birth\nBob;1990-01-01\nCyd;\n");
    CHECK(json_is_true(json_object_get(a, "ok")));
    CHECK_EQ(json_array_size(json_object_get(a, "invitations")), 2);
    json_decref(a);
    CHECK_EQ(count("{}", "invited"), 3);
    CHECK_EQ(contacts(), 3);
    bad(&end, "invite", "[\"Ann\"]", "{\"file\": \"x\"}", "invalid");
    bad(&end, "invite", "[]", "{\"file\": \"x\"}", "invalid");
    end_remove(&end);
}

TEST(a_restart_keeps_them)
{
    end_make(&end, "Clinic A");
    quiet(&end, "invite", "[\"Ann\"]", "{\"birth\": \"1980-02-29\"}");
    end_stop(&end);
    end_start(&end);
    CHECK_EQ(count("{}", "invited"), 1);
    end_remove(&end);
}

int
main(void)
{
    node_json_init();
    return RUN(
        T(an_invited_patient_shows_as_invited), T(what_cannot_be_is_said),
        T(a_saved_contact_is_invited), T(an_invitation_is_replaced_and_revoked),
        T(an_invitation_is_revoked_as_such),
        T(a_panel_is_invited_whole_or_not_at_all), T(a_restart_keeps_them));
}
