/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The app's end of a device's channel (federation/core/device_chan.h) as a wasm
 * module, for a test that drives it through a real browser's WebSocket.  One
 * channel an instance; each call leaves its bytes in chan_out.
 */
#include "crypto/ident/device_list.h"
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "federation/core/device_chan.h"

#include <string.h>

#define EXPORT(NAME) __attribute__((export_name(#NAME)))

void *chan_wasm_alloc(size_t len);
const uint8_t *chan_wasm_out(void);
size_t chan_wasm_out_len(void);
int chan_wasm_new(const char *host, size_t host_len, const uint8_t *seeds,
                  const uint8_t *root, double now_ms);
int chan_wasm_new_as(const char *host, size_t host_len, const uint8_t *seed,
                     const uint8_t *cert, size_t cert_len, const uint8_t *root,
                     double now_ms);
double chan_wasm_generation(void);
int chan_wasm_step(const uint8_t *in, size_t len);
int chan_wasm_ready(void);
int chan_wasm_seal(const uint8_t *in, size_t len);
int chan_wasm_open(const uint8_t *in, size_t len);
int chan_wasm_exporter(void);

static struct {
    struct fed_chan *chan;
    struct bytes out;
} state;

EXPORT(chan_alloc)
void *
chan_wasm_alloc(size_t len)
{
    return mem_alloc(mem_heap(), len);
}

EXPORT(chan_out)
const uint8_t *
chan_wasm_out(void)
{
    return state.out.p;
}

EXPORT(chan_out_len)
size_t
chan_wasm_out_len(void)
{
    return state.out.len;
}

/* With an app's own device key and certificate.  The results are enum err; out
 * is the first message. */
EXPORT(chan_new_as)
int
chan_wasm_new_as(const char *host, size_t host_len, const uint8_t *seed,
                 const uint8_t *cert, size_t cert_len, const uint8_t *root,
                 double now_ms)
{
    struct fed_chan_app c = {.host = view_make(host, host_len),
                             .seed = view_make(seed, 32),
                             .cert = view_make(cert, cert_len)};
    struct clinic_id id;
    enum err e;

    TRY(prim_init());
    memcpy(id.b, root, 32);
    c.check.root = &id;
    c.check.now_ms = (uint64_t)now_ms;
    TRY(fed_chan_app_new(mem_heap(), prim_rng_system(), &c, &state.out,
                         &state.chan));
out:
    return (int)e;
}

/* Of the node's certificate; 0 before it is ready. */
EXPORT(chan_generation)
double
chan_wasm_generation(void)
{
    struct ident_node n;

    return fed_chan_peer_node(state.chan, &n) == OK ? (double)n.generation : 0;
}

/* With a certificate made here.  seeds: of the patient key and of the device
 * key. */
EXPORT(chan_new)
int
chan_wasm_new(const char *host, size_t host_len, const uint8_t *seeds,
              const uint8_t *root, double now_ms)
{
    struct ident_device_cert cert = {.patient = {{0}}};
    struct prim_sign_key patient;
    struct prim_sign_key device;
    struct bytes signed_cert = {0};
    enum err e;

    TRY(prim_init());
    prim_ed25519_from_seed(seeds, &patient);
    prim_ed25519_from_seed(seeds + 32, &device);
    memcpy(cert.patient.b, patient.pub, 32);
    memcpy(cert.device.b, device.pub, 32);
    memcpy(cert.home.b, root, 32);
    TRY(ident_device_cert_make(mem_heap(), &patient, &cert, &signed_cert));
    e = (enum err)chan_wasm_new_as(host, host_len, seeds + 32, signed_cert.p,
                                   signed_cert.len, root, now_ms);
out:
    bytes_free(&signed_cert);
    return (int)e;
}

EXPORT(chan_step)
int
chan_wasm_step(const uint8_t *in, size_t len)
{
    bytes_free(&state.out);
    return (int)fed_chan_step(state.chan, view_make(in, len), &state.out);
}

EXPORT(chan_ready)
int
chan_wasm_ready(void)
{
    return fed_chan_ready(state.chan);
}

EXPORT(chan_seal)
int
chan_wasm_seal(const uint8_t *in, size_t len)
{
    enum err e;

    bytes_free(&state.out);
    TRY(bytes_alloc(mem_heap(), len + FED_CHAN_OVERHEAD, &state.out));
    TRY(fed_chan_seal(state.chan, view_make(in, len), state.out.p));
out:
    return (int)e;
}

EXPORT(chan_open)
int
chan_wasm_open(const uint8_t *in, size_t len)
{
    enum err e;

    bytes_free(&state.out);
    TRY(len >= FED_CHAN_OVERHEAD ? OK : ERR_AUTH);
    TRY(bytes_alloc(mem_heap(), len - FED_CHAN_OVERHEAD, &state.out));
    TRY(fed_chan_open(state.chan, view_make(in, len), state.out.p));
out:
    return (int)e;
}

EXPORT(chan_exporter)
int
chan_wasm_exporter(void)
{
    enum err e;

    bytes_free(&state.out);
    TRY(bytes_alloc(mem_heap(), FED_CHAN_EXPORTER, &state.out));
    TRY(fed_chan_exporter(state.chan, state.out.p));
out:
    return (int)e;
}
