/*
 * image_read(), the look-ups and identify() on any bytes that stand where an ELF
 * object should. The seed is the kernel's own small object, which lies in memory
 * as it lies in a file.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "fuzz.h"
#include "target/identify.h"
#include "target/image.h"

#define BASE      UINT64_C(0x7f5500000000)
#define VDSO_SIZE 8192 /* two pages on x86-64 */

static bool look(void *context, const char *name, const struct image_symbol *symbol)
{
    const struct image *image = context;

    if (!image_contains(image, symbol->address) || strlen(name) > (32u << 20))
        abort();
    return true;
}

static void look_up(const struct image *image, struct reader *reader)
{
    static const char *const names[] = {"__vdso_clock_gettime", "Py_GetVersion", "x",
                                        "LINUX_2.6", ""};
    struct image_symbol symbol;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (image_symbol(image, reader, names[i], &symbol) &&
            !image_contains(image, symbol.address))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct image_segment segment = {{BASE}, data, size};
    struct mapping mapping = {.start = BASE,
                              .end = BASE + size,
                              .inode = 1,
                              .is_readable = true,
                              .is_executable = true,
                              .path = "/lib/libpython3.8.so"};
    struct maps maps = {&mapping, 1, false, NULL};
    struct reader *reader = reader_image_new(&segment, 1);
    struct identity identity;
    struct image image;
    struct err err;

    if (!image_read(&image, reader, &mapping, &err)) {
        look_up(&image, reader);
        image_each_symbol(&image, reader, look, &image);
        image_is_loaded(&image, &maps);
        memset(&identity, 0, sizeof(identity));
        identity.python = image;
        identify_version(reader, &identity);
    }
    identify(reader, &maps, true, "it", &identity, &err);
    reader_close(reader);
    return 0;
}

static bool is_understood(const uint8_t *data, size_t size)
{
    const struct image_segment segment = {{BASE}, data, size};
    const struct mapping mapping = {.start = BASE, .end = BASE + size, .path = ""};
    struct reader *reader = reader_image_new(&segment, 1);
    struct image_symbol symbol;
    struct image image;
    struct err err;
    bool is_found = !image_read(&image, reader, &mapping, &err) &&
                    image_symbol(&image, reader, "__vdso_clock_gettime", &symbol);

    reader_close(reader);
    return is_found;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    const void *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);

    if (!vdso || size < VDSO_SIZE)
        return 0;
    memcpy(buffer, vdso, VDSO_SIZE);
    /* A seed that is refused at once would prove nothing. */
    if (!is_understood(buffer, VDSO_SIZE))
        abort();
    return VDSO_SIZE;
}
