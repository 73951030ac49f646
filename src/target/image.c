#include "target/image.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#define IMAGE_PAGE_BYTES      4096
#define PROGRAM_HEADERS_MAX   64
#define DYNAMIC_ENTRIES_MAX   512
#define DYNAMIC_ENTRIES_CHUNK 64

#if defined(__x86_64__)
#define IMAGE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define IMAGE_MACHINE EM_AARCH64
#else
#define IMAGE_MACHINE EM_NONE
#endif

static int check_header(const Elf64_Ehdr *header, struct err *err)
{
    if (memcmp(header->e_ident, ELFMAG, SELFMAG))
        return err_set(err, ERR_UNSUPPORTED, "not an ELF object");
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return err_set(err, ERR_UNSUPPORTED, "a 32-bit ELF object");
    if (header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != IMAGE_MACHINE)
        return err_set(err, ERR_UNSUPPORTED, "an ELF object of another machine");
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return err_set(err, ERR_UNSUPPORTED, "an ELF object that cannot be run");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || !header->e_phnum ||
        header->e_phnum > PROGRAM_HEADERS_MAX)
        return err_set(err, ERR_UNSUPPORTED, "an ELF object with strange headers");
    return 0;
}

/* The load bias follows from the PT_LOAD that holds the ELF header. */
static bool find_bias(struct image *image, const Elf64_Phdr *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD || headers[i].p_offset >= IMAGE_PAGE_BYTES)
            continue;
        image->bias = image->base - (headers[i].p_vaddr - headers[i].p_offset);
        return true;
    }
    return false;
}

static void add_load(struct image *image, const Elf64_Phdr *header)
{
    uint64_t start = image->bias + header->p_vaddr;

    if (image->n_loads == IMAGE_SEGMENTS_MAX || !header->p_memsz ||
        header->p_memsz > UINT64_MAX - start)
        return;
    image->loads[image->n_loads++] = (struct image_load){
        .start = start,
        .end = start + header->p_memsz,
        .is_writable = header->p_flags & PF_W,
        .is_executable = header->p_flags & PF_X,
    };
}

static bool contains(const struct image *image, uint64_t address)
{
    for (size_t i = 0; i < image->n_loads; i++)
        if (address >= image->loads[i].start && address < image->loads[i].end)
            return true;
    return false;
}

/* glibc stores relocated addresses in the dynamic section; musl, the vdso and a
 * file that no loader has touched hold offsets. 0 when outside the image. */
static uint64_t relocated(const struct image *image, uint64_t value)
{
    if (contains(image, value))
        return value;
    value += image->bias;
    return contains(image, value) ? value : 0;
}

static void take_dynamic(struct image *image, const Elf64_Dyn *entry)
{
    switch (entry->d_tag) {
    case DT_SYMTAB:
        image->symtab = relocated(image, entry->d_un.d_ptr);
        break;
    case DT_STRTAB:
        image->strtab = relocated(image, entry->d_un.d_ptr);
        break;
    case DT_STRSZ:
        image->strtab_bytes = entry->d_un.d_val;
        break;
    case DT_GNU_HASH:
        image->gnu_hash = relocated(image, entry->d_un.d_ptr);
        break;
    case DT_HASH:
        image->sysv_hash = relocated(image, entry->d_un.d_ptr);
        break;
    case DT_VERSYM:
        image->versym = relocated(image, entry->d_un.d_ptr);
        break;
    default:
        break;
    }
}

static void read_dynamic(struct image *image, struct reader *reader, uint64_t address,
                         uint64_t length)
{
    Elf64_Dyn entries[DYNAMIC_ENTRIES_CHUNK];
    size_t left = DYNAMIC_ENTRIES_MAX;

    if (length / sizeof(entries[0]) < left)
        left = (size_t)(length / sizeof(entries[0]));
    while (left) {
        size_t n = left < DYNAMIC_ENTRIES_CHUNK ? left : DYNAMIC_ENTRIES_CHUNK;

        if (reader_read(reader, raddr_of(address), entries, n * sizeof(entries[0])))
            return;
        for (size_t i = 0; i < n; i++) {
            if (entries[i].d_tag == DT_NULL)
                return;
            take_dynamic(image, &entries[i]);
        }
        address += n * sizeof(entries[0]);
        left -= n;
    }
}

/* The string table may not reach beyond the segment it lies in. */
static void bound_strings(struct image *image)
{
    for (size_t i = 0; i < image->n_loads; i++) {
        const struct image_load *load = &image->loads[i];

        if (image->strtab < load->start || image->strtab >= load->end)
            continue;
        if (image->strtab_bytes > load->end - image->strtab)
            image->strtab_bytes = load->end - image->strtab;
        return;
    }
    image->strtab = 0;
    image->strtab_bytes = 0;
}

static void take_headers(struct image *image, struct reader *reader,
                         const Elf64_Phdr *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (headers[i].p_type == PT_LOAD)
            add_load(image, &headers[i]);
    for (size_t i = 0; i < count; i++) {
        uint64_t address = image->bias + headers[i].p_vaddr;

        if (!contains(image, address))
            continue;
        if (headers[i].p_type == PT_DYNAMIC) {
            read_dynamic(image, reader, address, headers[i].p_memsz);
        } else if (headers[i].p_type == PT_GNU_EH_FRAME) {
            image->eh_frame_hdr = address;
            image->eh_frame_hdr_bytes = headers[i].p_memsz;
        }
    }
    bound_strings(image);
}

int image_read(struct image *image, struct reader *reader, const struct mapping *mapping,
               struct err *err)
{
    Elf64_Phdr headers[PROGRAM_HEADERS_MAX];
    Elf64_Ehdr header;

    memset(image, 0, sizeof(*image));
    image->base = mapping->start;
    snprintf(image->path, sizeof(image->path), "%s",
             mapping->path[0] == '[' ? "" : mapping->path);
    if (mapping->end - mapping->start < sizeof(header))
        return err_set(err, ERR_UNSUPPORTED, "not an ELF object");
    if (reader_fetch(reader, raddr_of(image->base), &header, sizeof(header),
                     "the ELF header", err) ||
        check_header(&header, err))
        return -1;
    if (header.e_phoff > mapping->end - mapping->start)
        return err_set(err, ERR_UNSUPPORTED, "an ELF object with strange headers");
    if (reader_fetch(reader, raddr_of(image->base + header.e_phoff), headers,
                     header.e_phnum * sizeof(headers[0]), "the program headers", err))
        return -1;
    if (!find_bias(image, headers, header.e_phnum))
        return err_set(err, ERR_UNSUPPORTED, "an ELF object without a first segment");
    image->entry = image->bias + header.e_entry;
    take_headers(image, reader, headers, header.e_phnum);
    return 0;
}

bool image_contains(const struct image *image, struct raddr address)
{
    return contains(image, address.value);
}

/* Do executable mappings cover [start, end) without a hole? */
static bool is_mapped_executable(const struct maps *maps, uint64_t start, uint64_t end)
{
    while (start < end) {
        const struct mapping *mapping = maps_find(maps, raddr_of(start));

        if (!mapping || !mapping->is_executable)
            return false;
        start = mapping->end;
    }
    return true;
}

bool image_is_loaded(const struct image *image, const struct maps *maps)
{
    size_t n_executable = 0;

    for (size_t i = 0; i < image->n_loads; i++) {
        if (!image->loads[i].is_executable)
            continue;
        if (!is_mapped_executable(maps, image->loads[i].start, image->loads[i].end))
            return false;
        n_executable++;
    }
    return n_executable > 0;
}
