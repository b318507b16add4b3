/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a conversation by what people call it: its number, its title, the
 * names of those in it, its id, what everybody in it calls it.  Indexes lead to
 * the few that may be meant; which of them fits is judged by what it is called
 * now.
 */
#include "federation/core/spoken.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/fit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEVERAL = 8,     /* numbers that are named when more than one fits */
    MERGED_MAX = 32, /* contacts that are one */
    ID_SHOWN = 8     /* digits of an id, where one is shown */
};

struct conv_search {
    struct node_best best;
    struct store_txn *txn;
    bool by_title;   /* the words are in its title */
    bool by_contact; /* or in the name of somebody in it */
    struct contact_id contacts[MERGED_MAX];
    size_t contacts_len;
    struct conv_id ids[SEVERAL];
    uint64_t numbers[SEVERAL];
    size_t len;
    uint64_t with[SEVERAL]; /* not called so, but somebody in them is */
    size_t with_len;
    size_t not_yet; /* clinics called so, without a conversation */
    enum store_clinic_state state;
};

static bool
is_noted(const struct conv_search *s, const struct conv_id *id)
{
    for (size_t i = 0; i < s->len; i++) {
        if (conv_id_equal(&s->ids[i], id)) {
            return true;
        }
    }
    return false;
}

/* How well it fits what was written. */
static enum node_fit
fit_of(struct conv_search *s, const struct store_conv *conv)
{
    struct phi name = {0};
    enum node_fit fit;
    bool closed = (conv->flags & STORE_CONV_CLOSED) != 0;
    /* the name of one of several is not what a conversation is called */
    bool own = s->by_title || (s->by_contact && phi_len(&conv->title) == 0 &&
                               conv->contacts_len == 1);

    node_conv_label(s->txn, conv, &name);
    fit = node_fit_of(s->best.ref, conv_id_view(&conv->id),
                      proto_phi_reveal(&name));
    phi_free(&name);
    if (fit == NODE_FIT_NO && own) {
        fit = NODE_FIT_WORDS;
    }
    if (closed && fit == NODE_FIT_WORDS) {
        return NODE_FIT_NO;
    }
    return closed && (fit == NODE_FIT_BEGINS || fit == NODE_FIT_WHOLE) ? fit - 1
                                                                       : fit;
}

/* One that may be meant; it may come twice. */
static enum err
consider(void *ctx, const struct store_conv *conv)
{
    struct conv_search *s = ctx;
    enum node_fit fit = fit_of(s, conv);

    if (fit == NODE_FIT_NO && s->by_contact && s->with_len < SEVERAL &&
        (conv->flags & STORE_CONV_CLOSED) == 0) {
        s->with[s->with_len++] = conv->number;
    }
    if (fit == NODE_FIT_NO || (fit == s->best.fit && is_noted(s, &conv->id))) {
        return OK;
    }
    if (node_fit_best(&s->best, fit)) {
        s->len = 0;
    }
    if (fit == s->best.fit && s->len < SEVERAL) {
        s->ids[s->len] = conv->id;
        s->numbers[s->len++] = conv->number;
    }
    return OK;
}

static enum err
consider_id(void *ctx, const struct conv_id *id)
{
    struct conv_search *s = ctx;
    struct store_conv conv = {0};
    enum err e = store_conv_get(s->txn, id, &conv);

    e = e == OK ? consider(ctx, &conv) : e;
    store_conv_clear(&conv);
    return e;
}

/* The words of its title. */
static enum err
consider_titled(void *ctx, const struct conv_id *id)
{
    struct conv_search *s = ctx;
    enum err e;

    s->by_title = true;
    e = consider_id(ctx, id);
    s->by_title = false;
    return e;
}

static enum err
note_merged(void *ctx, const struct contact_id *from)
{
    struct conv_search *s = ctx;

    if (s->contacts_len < MERGED_MAX) {
        s->contacts[s->contacts_len++] = *from;
    }
    return OK;
}

/* Conversations of a contact, and of those that became part of it. */
static enum err
each_contact(void *ctx, const struct store_contact *contact)
{
    enum err e = OK;
    struct conv_search *s = ctx;
    s->contacts[0] = contact->id;
    s->contacts_len = 1;
    for (size_t i = 0; i < s->contacts_len; i++) {
        struct contact_id id = s->contacts[i];

        TRY(store_conv_by_contact(s->txn, &id, false, consider_id, s));
        TRY(store_contact_merged(s->txn, &id, note_merged, s));
    }
out:
    return e;
}

/* By the words of its title, and by those in it: the first, of several. */
static enum err
by_words(struct conv_search *s)
{
    enum err e;
    struct view ref = s->best.ref;
    struct view first = ref;
    const uint8_t *comma = ref.len == 0 ? NULL : memchr(ref.p, ',', ref.len);

    if (comma != NULL) {
        first.len = (size_t)(comma - ref.p);
    }
    TRY(store_conv_by_title(s->txn, ref, consider_titled, s));
    s->by_contact = comma == NULL;
    TRY(store_contact_find(s->txn, first, NULL, UINT32_MAX, each_contact, s));
    s->by_contact = false;
out:
    return e;
}

/* By the beginning of its id. */
static enum err
by_id(struct conv_search *s)
{
    uint8_t start[sizeof(s->ids[0].b)];
    struct view ref = s->best.ref;

    ref.len &= ~(size_t)1;
    if (ref.len < 4 || ref.len > 2 * sizeof(start) ||
        proto_unhex(ref, start, ref.len / 2) != OK) {
        return OK;
    }
    return store_conv_by_prefix(s->txn, view_make(start, ref.len / 2),
                                consider_id, s);
}

static enum err
consider_spoken(void *ctx, const struct store_conv *conv)
{
    struct conv_search *s = ctx;

    if (conv->has_thread && fed_spoken_is(&conv->thread, s->best.ref) &&
        !is_noted(s, &conv->id)) {
        (void)node_fit_best(&s->best, NODE_FIT_ID);
        if (s->len < SEVERAL) {
            s->ids[s->len] = conv->id;
            s->numbers[s->len++] = conv->number;
        }
    }
    return OK;
}

/* By what everybody in it calls it: no index knows that. */
static enum err
by_spoken(struct conv_search *s)
{
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};
    size_t len = s->best.ref.len;

    return len == FED_SPOKEN_LEN || len == FED_SPOKEN_LEN - 1
               ? store_conv_list(s->txn, &q, consider_spoken, s)
               : OK;
}

static enum err
each_clinic(void *ctx, const struct store_clinic *c)
{
    struct conv_search *s = ctx;
    struct phi own = {0};
    struct conv_id id;
    enum node_fit fit = NODE_FIT_NO;
    enum err e = OK;

    if (node_clinic_name(store_txn_mem(s->txn), c, &own) == OK) {
        fit = node_fit_of(s->best.ref, clinic_id_view(&c->id),
                          proto_phi_reveal(&own));
    }
    if (node_clinic_conv(c, &id) && node_fit_best(&s->best, fit)) {
        s->ids[0] = id;
        s->len = 1;
    } else if (fit != NODE_FIT_NO && !node_clinic_conv(c, &id)) {
        s->not_yet++;
        s->state = c->state;
    }
    phi_free(&own);
    return e;
}

/* A number of at most 9 digits, else 0. */
static uint64_t
small_number(struct view ref)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ref.len; i++) {
        if (!isdigit(ref.p[i]) || i == 9) {
            return 0;
        }
        n = n * 10 + (uint64_t)(ref.p[i] - '0');
    }
    return n;
}

static int
by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

enum {
    NUMBERS = SEVERAL * 24 /* in words */
};

/* In order, each once: two contacts in one conversation may have the name. */
static void
say_numbers(uint64_t *numbers, size_t len, char out[NUMBERS])
{
    size_t n = 0;

    out[0] = '\0';
    qsort(numbers, len, sizeof(numbers[0]), by_size);
    for (size_t i = 0; i < len; i++) {
        if (i == 0 || numbers[i] != numbers[i - 1]) {
            n += (size_t)snprintf(out + n, NUMBERS - n, "%s%llu",
                                  i == 0 ? "" : ", ",
                                  (unsigned long long)numbers[i]);
        }
    }
}

/* Which of several: their numbers. */
static enum err
several(struct node_call *c, struct conv_search *s)
{
    char list[NUMBERS];

    say_numbers(s->numbers, s->len, list);
    return node_call_fail(c, ERR_INVALID,
                          "%zu conversations are called \"%.*s\": %s%s. Give "
                          "the number of the one you mean: balsam inbox "
                          "shows it.",
                          s->best.count, (int)s->best.ref.len,
                          (const char *)s->best.ref.p, list,
                          s->best.count > s->len ? ", ..." : "");
}

/* What is not called so is not written to by that name, but named. */
static enum err
only_with(struct node_call *c, struct conv_search *s)
{
    char list[NUMBERS];

    say_numbers(s->with, s->with_len, list);
    return node_call_fail(c, ERR_MISSING,
                          "There is no conversation \"%.*s\". Somebody of that "
                          "name is in %s%s: give the number to write to all "
                          "who are in it, or begin one with balsam thread new.",
                          (int)s->best.ref.len, (const char *)s->best.ref.p,
                          list, s->with_len == SEVERAL ? ", ..." : "");
}

/* Why there is none with a clinic, and what to do. */
static enum err
not_yet(struct node_call *c, const struct conv_search *s)
{
    static const char *const why[STORE_CLINIC_STATE_COUNT_] = {
        [STORE_CLINIC_KNOWN] = "You are not connected with it. Ask it for a "
                               "link, and use it with balsam connect.",
        [STORE_CLINIC_ASKED] = "It has not accepted yet. You can write to it "
                               "when it has: see balsam clinics.",
        [STORE_CLINIC_ASKS] = "It asks to connect with you, and waits for your "
                              "answer: see balsam requests.",
        [STORE_CLINIC_CONNECTED] = "It has just been connected. Try again in a "
                                   "moment.",
        [STORE_CLINIC_DISCONNECTED] = "You are not connected with it any more.",
        [STORE_CLINIC_BLOCKED] = "It is blocked: see balsam clinics.",
        [STORE_CLINIC_REFUSED] = "It said no when you asked to connect. Ask it "
                                 "for another link.",
    };

    return node_call_fail(
        c, ERR_MISSING, "There is no conversation with \"%.*s\". %s",
        (int)s->best.ref.len, (const char *)s->best.ref.p, why[s->state]);
}

/* OK, with the conversation, when there is one; else said which there are. */
static enum err
judge(struct node_call *c, struct conv_search *s, struct store_conv *out)
{
    enum err e;

    if (s->best.count == 0 && s->with_len > 0) {
        return only_with(c, s);
    }
    if (s->best.count == 0 && s->not_yet == 1) {
        return not_yet(c, s);
    }
    if (s->best.count > 1 && s->len > 1) {
        return several(c, s);
    }
    if (s->len > 0) {
        TRY(store_conv_get(s->txn, &s->ids[0], out));
    }
    TRY(node_fit_judge_name(c, s->txn, &s->best, out->contacts,
                            out->contacts_len, "conversation", "inbox"));
out:
    if (e != OK) {
        store_conv_clear(out);
    }
    return e;
}

enum err
node_find_conv(struct node_call *c, struct store_txn *txn, struct view ref,
               struct store_conv *out)
{
    enum err e;
    struct conv_search s = {.best = {.ref = ref}, .txn = txn};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};
    struct conv_id id;
    uint64_t number = small_number(ref);

    /* Programs give the whole id, people its number. */
    e = ref.len == 2 * sizeof(id.b) &&
                proto_unhex(ref, id.b, sizeof(id.b)) == OK
            ? OK
            : store_conv_by_number(txn, number, &id);
    e = e == OK ? store_conv_get(txn, &id, out) : e;
    if (e != ERR_MISSING) {
        return e;
    }
    if (store_has_word(ref)) {
        TRY(by_words(&s));
    } else { /* signs that are no word */
        TRY(store_conv_list(txn, &q, consider, &s));
    }
    if (number != 0 && s.best.fit < NODE_FIT_WHOLE_ENDED) {
        s = (struct conv_search){.best = {.ref = ref}, .txn = txn};
    }
    /* a number that nothing has is not the beginning of something else */
    if (s.best.count == 0 && (number == 0 || ref.len >= ID_SHOWN)) {
        TRY(by_id(&s));
    }
    if (s.best.count == 0 && number == 0) {
        TRY(by_spoken(&s));
    }
    if (s.best.count == 0 && number == 0) {
        TRY(store_clinic_list(txn, each_clinic, &s));
    }
    TRY(judge(c, &s, out));
out:
    return e;
}

static enum err
add_name(struct store_txn *txn, const struct contact_id *contact,
         struct view behind, struct bytes *text)
{
    enum err e = OK;
    struct store_contact c = {0};
    struct contact_id id;
    const struct mem *mem = store_txn_mem(txn);

    if (store_contact_resolve(txn, contact, &id) != OK ||
        store_contact_get(txn, &id, &c) != OK) {
        goto out;
    }
    TRY(text->len > 0 ? bytes_append(mem, text, VIEW_LIT(", ")) : OK);
    TRY(bytes_append(mem, text, proto_phi_reveal(&c.name)));
    TRY(bytes_append(mem, text, behind));
out:
    store_contact_clear(&c);
    return e;
}

void
node_conv_label(struct store_txn *txn, const struct store_conv *conv,
                struct phi *out)
{
    enum err e = OK;
    struct bytes text = {0};
    const struct mem *mem = store_txn_mem(txn);

    if (phi_len(&conv->title) > 0) {
        TRY(phi_from(mem, proto_phi_reveal(&conv->title), out));
        goto out;
    }
    for (size_t i = 0; i < conv->contacts_len; i++) {
        TRY(add_name(txn, &conv->contacts[i], VIEW_LIT(""), &text));
    }
    for (size_t i = 0; i < conv->regarding_len; i++) {
        TRY(add_name(txn, &conv->regarding[i], VIEW_LIT(" (no longer in it)"),
                     &text));
    }
    TRY(phi_from(mem, view_of(&text), out));
out:
    bytes_free(&text);
}
