/* ELF images: those of this process, with the dynamic linker as the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/image.h"

struct fixture {
    struct maps maps;
    struct reader *reader;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    struct err err;

    if (maps_read(&fixture->maps, fd, &err) ||
        reader_live_open(getpid(), -1, &fixture->reader, &err))
        return -1;
    close(fd);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    maps_release(&fixture->maps);
    reader_close(fixture->reader);
    free(fixture);
    return 0;
}

/* The mapping that holds the header of the object with this address in it. */
static const struct mapping *header_of(const struct maps *maps, const void *inside)
{
    const struct mapping *mapping =
        maps_find(maps, raddr_of((uint64_t)(uintptr_t)inside));
    const struct mapping *first = mapping;

    assert_non_null(mapping);
    while (first > maps->mappings && first->offset)
        first--;
    assert_string_equal(first->path, mapping->path);
    return first;
}

static void *by_linker(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);

    assert_non_null(address);
    return address;
}

static void test_libc(void **state)
{
    static const char *const names[] = {"malloc", "free",   "getpid", "environ",
                                        "fork",   "printf", "stdout", "pthread_create"};
    struct fixture *fixture = *state;
    struct image_symbol symbol;
    struct image image;
    struct err err;

    assert_int_equal(image_read(&image, fixture->reader,
                                header_of(&fixture->maps, by_linker("fork")), &err),
                     0);
    assert_true(image.n_loads >= 2);
    assert_true(image.eh_frame_hdr && image.eh_frame_hdr_bytes);
    assert_true(image_is_loaded(&image, &fixture->maps));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const void *address = by_linker(names[i]);

        /* Preloaded allocators and copy relocations live elsewhere. */
        if (!image_contains(&image, raddr_of((uint64_t)(uintptr_t)address)))
            continue;
        assert_true(image_symbol(&image, fixture->reader, names[i], &symbol));
        assert_true(symbol.address.value == (uint64_t)(uintptr_t)address);
    }
    assert_true(image_symbol(&image, fixture->reader, "fork", &symbol));
    assert_true(symbol.is_function);
    assert_false(image_symbol(&image, fixture->reader, "no_such_name", &symbol));
    assert_false(image_symbol(&image, fixture->reader, "", &symbol));
}

/* Defined here and not by libc: it is only imported by others. */
static void test_undefined_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct image_symbol symbol;
    struct image image;
    struct err err;

    assert_int_equal(
        image_read(&image, fixture->reader,
                   header_of(&fixture->maps, by_linker("_cmocka_run_group_tests")), &err),
        0);
    assert_true(
        image_symbol(&image, fixture->reader, "_cmocka_run_group_tests", &symbol));
    assert_false(image_symbol(&image, fixture->reader, "vsnprintf", &symbol));
}

/* regexec has two versions in x86-64's libc: the default one is the newer. */
static void test_default_version(void **state)
{
    struct fixture *fixture = *state;
    struct image_symbol symbol;
    struct image image;
    struct err err;
    void *chosen = dlvsym(RTLD_DEFAULT, "regexec", "GLIBC_2.3.4");

    if (!chosen)
        skip();
    assert_int_equal(image_read(&image, fixture->reader,
                                header_of(&fixture->maps, by_linker("fork")), &err),
                     0);
    assert_true(image_symbol(&image, fixture->reader, "regexec", &symbol));
    assert_true(symbol.address.value == (uint64_t)(uintptr_t)chosen);
}

static void test_vdso(void **state)
{
    struct fixture *fixture = *state;
    uint64_t base = getauxval(AT_SYSINFO_EHDR);
    const struct mapping *mapping = maps_find(&fixture->maps, raddr_of(base));
    struct image_symbol symbol;
    struct image image;
    struct err err;

    if (!base || !mapping)
        skip();
    assert_int_equal(image_read(&image, fixture->reader, mapping, &err), 0);
    assert_string_equal(image.path, "");
    assert_true(image_symbol(&image, fixture->reader, "__vdso_clock_gettime", &symbol));
    assert_true(image_contains(&image, symbol.address));
}

struct count {
    size_t n_symbols;
    bool has_fork;
    size_t stop_at;
};

static bool count_symbol(void *context, const char *name,
                         const struct image_symbol *symbol)
{
    struct count *count = context;

    count->n_symbols++;
    if (!strcmp(name, "fork"))
        count->has_fork = symbol->address.value == (uint64_t)(uintptr_t)by_linker("fork");
    return count->n_symbols != count->stop_at;
}

static void test_each(void **state)
{
    struct fixture *fixture = *state;
    struct count count = {0, false, 0}, some = {0, false, 10};
    struct image image;
    struct err err;

    assert_int_equal(image_read(&image, fixture->reader,
                                header_of(&fixture->maps, by_linker("fork")), &err),
                     0);
    image_each_symbol(&image, fixture->reader, count_symbol, &count);
    assert_true(count.n_symbols > 1000);
    assert_true(count.has_fork);
    image_each_symbol(&image, fixture->reader, count_symbol, &some);
    assert_int_equal(some.n_symbols, 10);
}

/* A file that is mapped to be looked into is an ELF image, but it is not loaded. */
static void test_mapped_file_is_not_loaded(void **state)
{
    struct fixture *fixture = *state;
    const char *path = header_of(&fixture->maps, by_linker("fork"))->path;
    int fd = open(path, O_RDONLY | O_CLOEXEC), maps_fd;
    struct stat status;
    struct maps maps;
    struct image image;
    struct err err;
    char *copy;

    assert_int_equal(fstat(fd, &status), 0);
    copy = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(copy, MAP_FAILED);
    maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    assert_int_equal(maps_read(&maps, maps_fd, &err), 0);
    assert_int_equal(image_read(&image, fixture->reader,
                                maps_find(&maps, raddr_of((uint64_t)(uintptr_t)copy)),
                                &err),
                     0);
    assert_false(image_is_loaded(&image, &maps));
    munmap(copy, (size_t)status.st_size);
    maps_release(&maps);
    close(maps_fd);
    close(fd);
}

static void check_refused(const Elf64_Ehdr *header, const char *words)
{
    const struct image_segment segment = {{0x10000}, header, sizeof(*header)};
    struct reader *reader = reader_image_new(&segment, 1);
    const struct mapping mapping = {.start = 0x10000, .end = 0x20000, .path = "/x"};
    struct image image;
    struct err err = ERR_INIT;

    assert_int_equal(image_read(&image, reader, &mapping, &err), -1);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    reader_close(reader);
}

static void test_refuses(void **state)
{
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB}};

    (void)state;
    check_refused(&header, "32-bit");
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_S390;
    check_refused(&header, "another machine");
    header.e_machine = EM_X86_64;
    header.e_type = ET_CORE;
    check_refused(&header, "cannot be run");
    header.e_type = ET_DYN;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 0xffff;
    check_refused(&header, "strange");
    header.e_phnum = 1;
    header.e_phoff = UINT64_MAX - 8;
    check_refused(&header, "strange");
    header.e_phoff = 0x100;
    check_refused(&header, "program headers");
    header.e_ident[0] = 0;
    check_refused(&header, "not an ELF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libc),
        cmocka_unit_test(test_undefined_is_not_found),
        cmocka_unit_test(test_default_version),
        cmocka_unit_test(test_vdso),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_mapped_file_is_not_loaded),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
