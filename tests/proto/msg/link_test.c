/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/b64.h"
#include "proto/msg/link.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

static struct proto_link
sample(const char *host, const char *addr)
{
    struct proto_link l = {0};

    l.flags = PROTO_LINK_ONE_TIME | PROTO_LINK_IN_PERSON;
    for (size_t i = 0; i < sizeof(l.root.b); i++) {
        l.root.b[i] = (uint8_t)(i * 7 + 1);
    }
    memset(l.id.b, 0x5a, sizeof(l.id.b));
    memset(l.secret, 0xc3, sizeof(l.secret));
    l.expiry_s = 1800000000;
    memcpy(l.host, host, strlen(host) + 1);
    l.addrs_len = 1;
    CHECK_OK(proto_addr_parse(view_str(addr), &l.addrs[0]));
    return l;
}

static void
check_same(const struct proto_link *a, const struct proto_link *b)
{
    CHECK_EQ(a->flags, b->flags);
    CHECK(clinic_id_equal(&a->root, &b->root));
    CHECK(link_id_equal(&a->id, &b->id));
    CHECK_VIEW(VIEW_ARRAY(a->secret), VIEW_ARRAY(b->secret));
    CHECK_EQ(a->expiry_s, b->expiry_s);
    CHECK_STR(a->host, b->host);
    CHECK_EQ(a->addrs_len, b->addrs_len);
    for (size_t i = 0; i < a->addrs_len; i++) {
        CHECK(proto_addr_equal(&a->addrs[i], &b->addrs[i]));
    }
}

static enum proto_link_fault
fault_of(struct view text, uint64_t now_s)
{
    struct proto_link l = {0};
    enum proto_link_fault fault;
    enum err e = proto_link_parse(text, now_s, &l, &fault);

    CHECK((e == OK) == (fault == PROTO_LINK_GOOD));
    CHECK(strlen(proto_link_fault_text(fault)) > 10);
    return fault;
}

TEST(round_trips)
{
    static const struct {
        const char *host;
        const char *addr;
    } cases[] = {
        {"clinic.example.org", "clinic.example.org:7341"},
        {"clinic.example.org", "node.clinic.example.org:7341"},
        {"", "clinic.example.org:1"},
        {"", "127.0.0.1:65535"},
        {"a.b", "[2001:db8::1]:7341"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct proto_link l = sample(cases[i].host, cases[i].addr);
        struct proto_link back = {0};
        enum proto_link_fault fault;
        struct bytes text = {0};

        CHECK_OK(proto_link_format(mem_heap(), &l, &text));
        CHECK_OK(proto_link_parse(view_of(&text), 0, &back, &fault));
        check_same(&back, &l);
        bytes_free(&text);
    }
}

/* decisions B 6 */
TEST(at_most_160_characters_with_one_address)
{
    static const char *const cases[][2] = {
        {"gemeinschaftspraxis-dr-mustermann.example.org",
         "gemeinschaftspraxis-dr-mustermann.example.org:7341"},
        {"", "[2001:db8::1:2:3:4]:7341"},
        {"praxis.example.org", "203.0.113.17:7341"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct proto_link l = sample(cases[i][0], cases[i][1]);
        struct bytes text = {0};

        CHECK_OK(proto_link_format(mem_heap(), &l, &text));
        CHECK(text.len <= 160);
        bytes_free(&text);
    }
}

TEST(every_changed_character_is_noticed)
{
    struct proto_link l = sample("clinic.example.org", "clinic.example.org:1");
    struct bytes text = {0};

    CHECK_OK(proto_link_format(mem_heap(), &l, &text));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t was = text.p[i];

        text.p[i] = was == 'x' ? 'y' : 'x';
        CHECK(fault_of(view_of(&text), 0) != PROTO_LINK_GOOD);
        text.p[i] = was;
    }
    for (size_t i = 0; i < text.len; i++) {
        CHECK(fault_of(view_sub(view_of(&text), 0, i), 0) != PROTO_LINK_GOOD);
    }
    bytes_free(&text);
}

TEST(each_fault_is_named)
{
    struct proto_link l = sample("clinic.example.org", "clinic.example.org:1");
    struct bytes text = {0};
    size_t hash;

    CHECK_OK(proto_link_format(mem_heap(), &l, &text));
    hash = (size_t)((uint8_t *)memchr(text.p, '#', text.len) - text.p) + 1;
    CHECK_EQ(fault_of(view_of(&text), 1800000000), PROTO_LINK_GOOD);
    CHECK_EQ(fault_of(view_of(&text), 1800000001), PROTO_LINK_EXPIRED);
    CHECK_EQ(fault_of(VIEW_LIT("https://example.org/"), 0), PROTO_LINK_NOT_ONE);
    CHECK_EQ(fault_of(VIEW_LIT("hello"), 0), PROTO_LINK_NOT_ONE);
    CHECK_EQ(fault_of(VIEW_LIT(""), 0), PROTO_LINK_NOT_ONE);
    CHECK_EQ(fault_of(VIEW_LIT("balsam:l#"), 0), PROTO_LINK_SHORT);
    CHECK_EQ(fault_of(VIEW_LIT("balsam:l#A!Q"), 0), PROTO_LINK_CHARACTERS);
    CHECK_EQ(fault_of(VIEW_LIT("balsam:l#CQAA"), 0), PROTO_LINK_NEWER);
    CHECK_EQ(fault_of(VIEW_LIT("balsam:l#AAAA"), 0), PROTO_LINK_CHECKSUM);
    text.len--;
    CHECK_EQ(fault_of(view_of(&text), 0), PROTO_LINK_SHORT);
    text.len++;
    /* so does a wrong character at the end, which has bits to spare */
    CHECK(strstr(proto_link_fault_text(PROTO_LINK_SHORT), "mistyped") != NULL);
    text.p[hash + 20] ^= 1;
    CHECK_EQ(fault_of(view_of(&text), 0), PROTO_LINK_CHECKSUM);
    text.p[hash + 20] ^= 1;
    text.p[10] ^= 1; /* the host */
    CHECK_EQ(fault_of(view_of(&text), 0), PROTO_LINK_CHECKSUM);
    bytes_free(&text);
}

static uint32_t
crc32_of(struct view v)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < v.len; i++) {
        crc ^= v.p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    return ~crc;
}

/* [link-shortest]: the host is written out though the link has it already */
TEST(a_longer_form_is_not_a_link)
{
    static const char host[] = "clinic.example.org";
    struct proto_link l = sample("", "clinic.example.org:7341");
    struct bytes text = {0};
    struct bytes again = {0};
    uint8_t payload[PROTO_LINK_TEXT_MAX];
    size_t len;
    uint32_t sum;

    CHECK_OK(proto_link_format(mem_heap(), &l, &text));
    CHECK_OK(proto_b64_decode(view_skip(view_of(&text), strlen("balsam:l#")),
                              payload, sizeof(payload), &len));
    /* the same payload behind https://HOST/l#, with the checksum for it */
    memcpy(payload + len - 4, host, strlen(host));
    sum = crc32_of(view_make(payload, len - 4 + strlen(host)));
    for (int i = 0; i < 4; i++) {
        payload[len - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    CHECK_OK(bytes_append(mem_heap(), &again, VIEW_LIT("https://")));
    CHECK_OK(bytes_append(mem_heap(), &again, view_str(host)));
    CHECK_OK(bytes_append(mem_heap(), &again, VIEW_LIT("/l#")));
    CHECK_OK(proto_b64_append(mem_heap(), view_make(payload, len), &again));
    CHECK_EQ(fault_of(view_of(&again), 0), PROTO_LINK_ADDRESS);
    bytes_free(&text);
    bytes_free(&again);
}

TEST(spaces_and_line_breaks_do_no_harm)
{
    struct proto_link l = sample("clinic.example.org", "clinic.example.org:1");
    struct bytes text = {0};
    struct bytes broken = {0};

    CHECK_OK(proto_link_format(mem_heap(), &l, &text));
    CHECK_OK(bytes_append(mem_heap(), &broken, VIEW_LIT(" \t")));
    for (size_t i = 0; i < text.len; i++) {
        CHECK_OK(
            bytes_append(mem_heap(), &broken, view_sub(view_of(&text), i, 1)));
        if (i % 30 == 29) {
            CHECK_OK(bytes_append(mem_heap(), &broken, VIEW_LIT("\r\n  ")));
        }
    }
    CHECK_EQ(fault_of(view_of(&broken), 0), PROTO_LINK_GOOD);
    bytes_free(&text);
    bytes_free(&broken);
}

TEST(what_stands_around_it_in_a_letter_does_no_harm)
{
    static const char *const around[][2] = {
        {"<", ">"}, {"(", ")."}, {"\"", "\","}, {"", "!"}, {" '", "';\n"},
    };
    struct proto_link l = sample("clinic.example.org", "clinic.example.org:1");
    struct bytes text = {0};

    CHECK_OK(proto_link_format(mem_heap(), &l, &text));
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        struct bytes b = {0};

        CHECK_OK(bytes_append(mem_heap(), &b, view_str(around[i][0])));
        CHECK_OK(bytes_append(mem_heap(), &b, view_of(&text)));
        CHECK_OK(bytes_append(mem_heap(), &b, view_str(around[i][1])));
        CHECK_EQ(fault_of(view_of(&b), 0), PROTO_LINK_GOOD);
        bytes_free(&b);
    }
    bytes_free(&text);
}

TEST(bad_links_are_not_made)
{
    struct proto_link l = sample("clinic.example.org", "a.org:1");
    struct bytes text = {0};

    l.addrs_len = 0;
    CHECK_ERR(proto_link_format(mem_heap(), &l, &text), ERR_INVALID);
    l.addrs_len = 1;
    l.flags = PROTO_LINK_IN_PERSON;
    CHECK_ERR(proto_link_format(mem_heap(), &l, &text), ERR_INVALID);
    l.flags = 0x80;
    CHECK_ERR(proto_link_format(mem_heap(), &l, &text), ERR_INVALID);
    l.flags = 0;
    l.host[0] = '/';
    CHECK_ERR(proto_link_format(mem_heap(), &l, &text), ERR_INVALID);
}

TEST(no_memory)
{
    struct proto_link l = sample("clinic.example.org", "a.org:1");

    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes text = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = proto_link_format(&f.mem, &l, &text);
        bytes_free(&text);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(random_bytes_are_never_a_link)
{
    struct seed_rng s;
    uint8_t buf[200];

    seed_rng_init(&s, 7341);
    for (int i = 0; i < 2000; i++) {
        size_t len = (size_t)seed_rng_below(&s, sizeof(buf));

        CHECK_OK(rng_fill(&s.rng, buf, len));
        CHECK(fault_of(view_make(buf, len), 0) != PROTO_LINK_GOOD);
    }
}

int
main(void)
{
    return RUN(T(round_trips), T(at_most_160_characters_with_one_address),
               T(every_changed_character_is_noticed), T(each_fault_is_named),
               T(a_longer_form_is_not_a_link),
               T(spaces_and_line_breaks_do_no_harm),
               T(what_stands_around_it_in_a_letter_does_no_harm),
               T(bad_links_are_not_made), T(no_memory),
               T(random_bytes_are_never_a_link));
}
