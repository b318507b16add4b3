/* SPDX-License-Identifier: Apache-2.0 */
/* Files are what their first bytes say. */
#include "node/sniff.h"

#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
is(const char *bytes, size_t len, const char *type)
{
    CHECK_VIEW(node_sniff(view_make((const uint8_t *)bytes, len)),
               view_str(type));
}

#define IS(bytes, type) is(bytes, sizeof(bytes) - 1, type)

TEST(known_ones_are_named)
{
    char dicom[132] = {0};

    IS("%PDF-1.7 and more", "application/pdf");
    IS("\x89PNG\r\n\x1a\n....", "image/png");
    IS("\xff\xd8\xff\xe0", "image/jpeg");
    IS("RIFF\x10\0\0\0WEBPVP8 ", "image/webp");
    IS("RIFF\x10\0\0\0WAVEfmt ", "audio/wav");
    IS("\0\0\0\x18"
       "ftypheic",
       "image/heic");
    IS("\0\0\0\x18"
       "ftypmp42",
       "video/mp4");
    IS("PK\x03\x04", "application/zip");
    memcpy(dicom + 128, "DICM", 4);
    is(dicom, sizeof(dicom), "application/dicom");
}

TEST(what_only_says_so_is_not)
{
    IS("<svg onload='x'>", "text/plain");
    IS("<html><script>", "text/plain");
    IS("\x89PN", "application/octet-stream");
    IS("GIF8", "text/plain");
    IS("", "application/octet-stream");
    IS("a\0b", "application/octet-stream");
    IS("gr\xc3\xbc\xc3\x9f"
       "e\r\n",
       "text/plain");
    IS("\xff\xfe", "application/octet-stream");
}

TEST(a_file_keeps_its_place)
{
    FILE *f = tmpfile();
    char four[4];

    CHECK(f != NULL);
    CHECK_EQ(write(fileno(f), "%PDF-1.4", 8), 8);
    CHECK_EQ(lseek(fileno(f), 4, SEEK_SET), 4);
    CHECK_VIEW(node_sniff_file(fileno(f)), view_str("application/pdf"));
    CHECK_EQ(read(fileno(f), four, 4), 4);
    CHECK_VIEW(node_sniff_file(-1), view_str("application/octet-stream"));
    CHECK_EQ(fclose(f), 0);
}

int
main(void)
{
    return RUN(T(known_ones_are_named), T(what_only_says_so_is_not),
               T(a_file_keeps_its_place));
}
