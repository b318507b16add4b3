/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sniff.h"

#include <string.h>
#include <unistd.h>

struct magic {
    size_t at;
    const char *bytes;
    size_t len;
    const char *type;
};

#define MAGIC(at, bytes, type)             \
    {                                      \
        at, bytes, sizeof(bytes) - 1, type \
    }

static const struct magic table[] = {
    MAGIC(0, "%PDF-", "application/pdf"),
    MAGIC(0, "\x89PNG\r\n\x1a\n", "image/png"),
    MAGIC(0, "\xff\xd8\xff", "image/jpeg"),
    MAGIC(0, "GIF87a", "image/gif"),
    MAGIC(0, "GIF89a", "image/gif"),
    MAGIC(8, "WEBPVP8", "image/webp"),
    MAGIC(0, "II*\0", "image/tiff"),
    MAGIC(0, "MM\0*", "image/tiff"),
    MAGIC(128, "DICM", "application/dicom"),
    MAGIC(4, "ftypheic", "image/heic"),
    MAGIC(4, "ftypM4A", "audio/mp4"),
    MAGIC(4, "ftypqt", "video/quicktime"),
    MAGIC(4, "ftyp", "video/mp4"),
    MAGIC(8, "WAVEfmt", "audio/wav"),
    MAGIC(0, "OggS", "audio/ogg"),
    MAGIC(0, "ID3", "audio/mpeg"),
    MAGIC(0, "{\\rtf", "application/rtf"),
    MAGIC(0, "PK\x03\x04", "application/zip"), /* also office documents */
    MAGIC(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    MAGIC(0, "\x1f\x8b", "application/gzip"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
};

/* How many bytes follow one that begins a character; 4: none begins so. */
static unsigned
followers(uint8_t b)
{
    if (b < 0x80) {
        return (b < 0x20 && b != '\n' && b != '\r' && b != '\t') || b == 0x7f
                   ? 4
                   : 0;
    }
    return b < 0xc2 || b > 0xf4 ? 4 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
}

/* UTF-8 without controls but those of lines; it may be cut at the end. */
static bool
is_text(struct view v)
{
    unsigned more = 0;

    for (size_t i = 0; i < v.len; i++) {
        if (more > 0) {
            if ((v.p[i] & 0xc0) != 0x80) {
                return false;
            }
            more--;
        } else {
            more = followers(v.p[i]);
            if (more == 4) {
                return false;
            }
        }
    }
    return v.len > 0;
}

struct view
node_sniff(struct view head)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct magic *m = &table[i];

        if (head.len >= m->at + m->len &&
            memcmp(head.p + m->at, m->bytes, m->len) == 0) {
            return view_str(m->type);
        }
    }
    return is_text(head) ? VIEW_LIT("text/plain")
                         : VIEW_LIT("application/octet-stream");
}

struct view
node_sniff_file(int fd)
{
    uint8_t head[NODE_SNIFF_BYTES];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    return node_sniff(view_make(head, n > 0 ? (size_t)n : 0));
}
