/* SPDX-License-Identifier: Apache-2.0 */
/* A write at once on a real socket: what fits, what does not, and the end. */
#include "federation/io.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WRITE = 16384,
    WRITES_MAX = 4096
};

struct end {
    pthread_mutex_t mx;
    pthread_cond_t cv;
    struct fed_stream *s;
    bool dialled, sent, heard;
    size_t sent_n;
};

static void
end_dialled(void *ctx, enum err e, struct fed_stream *s)
{
    struct end *end = ctx;

    pthread_mutex_lock(&end->mx);
    CHECK_OK(e);
    end->s = s;
    end->dialled = true;
    pthread_cond_signal(&end->cv);
    pthread_mutex_unlock(&end->mx);
}

static void
end_sent(void *ctx, enum err e, size_t n)
{
    struct end *end = ctx;

    pthread_mutex_lock(&end->mx);
    CHECK_OK(e);
    end->sent_n = n;
    end->sent = true;
    pthread_cond_signal(&end->cv);
    pthread_mutex_unlock(&end->mx);
}

static void
end_heard(void *ctx, enum err e, size_t n)
{
    struct end *end = ctx;

    (void)n;
    pthread_mutex_lock(&end->mx);
    CHECK(e != OK);
    end->heard = true;
    pthread_cond_signal(&end->cv);
    pthread_mutex_unlock(&end->mx);
}

static void
end_wait(struct end *end, const bool *what)
{
    pthread_mutex_lock(&end->mx);
    while (!*what) {
        pthread_cond_wait(&end->cv, &end->mx);
    }
    pthread_mutex_unlock(&end->mx);
}

/* A stream to a socket that nobody reads from, and that socket. */
static int
connect_to(struct end *end, const struct fed_io *io, struct fed_dialing **d)
{
    struct fed_ip ip = {.family = 4, .b = {127, 0, 0, 1}};
    struct fed_dial_user dial = {end_dialled, end};
    struct fed_stream_user user = {end_heard, end_sent, end};
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(l >= 0 && bind(l, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
          listen(l, 1) == 0 &&
          getsockname(l, (struct sockaddr *)&sa, &len) == 0);
    ip.port = ntohs(sa.sin_port);
    *end = (struct end){0};
    pthread_mutex_init(&end->mx, NULL);
    pthread_cond_init(&end->cv, NULL);
    CHECK_OK(io->dial(io->ctx, &ip, 10000, &dial, d));
    fd = accept(l, NULL, NULL);
    CHECK(fd >= 0);
    close(l);
    end_wait(end, &end->dialled);
    end->s->ops->attach(end->s, &user);
    return fd;
}

static void
end_free(struct end *end, const struct fed_io *io, struct fed_dialing *d)
{
    end->s->ops->close(end->s);
    end->s->ops->free(end->s);
    io->undial(io->ctx, d);
    pthread_mutex_destroy(&end->mx);
    pthread_cond_destroy(&end->cv);
}

/* Every byte is the number of its write. */
static void
must_read(int fd, size_t from, size_t upto)
{
    static uint8_t buf[65536];

    while (from < upto) {
        size_t want = upto - from < sizeof(buf) ? upto - from : sizeof(buf);
        ssize_t n = recv(fd, buf, want, 0);

        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i++) {
            CHECK_EQ(buf[i], (uint8_t)((from + (size_t)i) / WRITE));
        }
        from += (size_t)n;
    }
}

/* Until nothing fits; then the rest as before, when somebody reads. */
TEST(what_fits)
{
    static uint8_t data[WRITE];
    struct fed_io io = fed_io_nng(mem_heap());
    struct fed_dialing *d = NULL;
    struct end end;
    int fd = connect_to(&end, &io, &d);
    size_t total = 0;
    size_t n = 1;
    enum err e = OK;

    for (int i = 0; i < WRITES_MAX && e == OK; i++) {
        size_t at = total % WRITE;

        memset(data, (int)(total / WRITE), sizeof(data));
        n = 0;
        e = end.s->ops->send_now(end.s, view_make(data, WRITE - at), &n);
        CHECK(e != OK || (n > 0 && n <= WRITE - at));
        total += n;
    }
    CHECK_ERR(e, ERR_AGAIN);
    CHECK_EQ(n, 0);
    CHECK(total >= WRITE);
    CHECK(!end.sent); /* at once is told by the call alone */

    /* it can be sent the other way, which ends when there is room */
    end.s->ops->send(end.s, view_make(data, WRITE - total % WRITE));
    must_read(fd, 0, total);
    end_wait(&end, &end.sent);
    must_read(fd, total, total + end.sent_n);
    total += end.sent_n;

    /* and there is room again */
    memset(data, (int)(total / WRITE), sizeof(data));
    CHECK_OK(end.s->ops->send_now(end.s, view_make(data, 1), &n));
    CHECK_EQ(n, 1);
    must_read(fd, total, total + 1);
    close(fd);
    end_free(&end, &io, d);
}

/* Nobody is there any more. */
TEST(ended)
{
    static uint8_t data[WRITE];
    struct fed_io io = fed_io_nng(mem_heap());
    struct fed_dialing *d = NULL;
    struct end end;
    struct linger hard = {.l_onoff = 1};
    uint8_t in[16];
    int fd = connect_to(&end, &io, &d);
    size_t n = 1;

    end.s->ops->recv(end.s, in, sizeof(in));
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    close(fd);
    end_wait(&end, &end.heard);
    CHECK(end.s->ops->send_now(end.s, VIEW_ARRAY(data), &n) != OK);
    CHECK_EQ(n, 0);
    end_free(&end, &io, d);
}

/* We ended it. */
TEST(closed)
{
    static uint8_t data[WRITE];
    struct fed_io io = fed_io_nng(mem_heap());
    struct fed_dialing *d = NULL;
    struct end end;
    int fd = connect_to(&end, &io, &d);
    size_t n = 1;

    end.s->ops->close(end.s);
    CHECK(end.s->ops->send_now(end.s, VIEW_ARRAY(data), &n) != OK);
    CHECK_EQ(n, 0);
    close(fd);
    end_free(&end, &io, d);
}

int
main(void)
{
    return RUN(T(what_fits), T(ended), T(closed));
}
