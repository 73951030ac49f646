#include "attach/agent_image.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#define PAGE_BYTES UINT64_C(4096)

extern const uint8_t agent_file_begin[], agent_file_end[];

struct file {
    const uint8_t *bytes;
    uint64_t length;
    const Elf64_Ehdr *header;
    const Elf64_Phdr *segments;
};

static int broken(struct err *err, const char *what)
{
    return err_set(err, ERR_FAILED, "the agent inside this heaptop is broken: %s", what);
}

static bool open_file(struct file *file)
{
    file->bytes = agent_file_begin;
    file->length = (uint64_t)(agent_file_end - agent_file_begin);
    file->header = (const Elf64_Ehdr *)file->bytes;
    if (file->length < sizeof(Elf64_Ehdr) ||
        memcmp(file->header->e_ident, ELFMAG, SELFMAG))
        return false;
    file->segments = (const Elf64_Phdr *)(file->bytes + file->header->e_phoff);
    return file->header->e_phoff < file->length &&
           file->header->e_phnum <=
               (file->length - file->header->e_phoff) / sizeof(Elf64_Phdr);
}

static bool add_segment(struct agent_image *image, const struct file *file,
                        const Elf64_Phdr *segment)
{
    uint64_t end = segment->p_vaddr + segment->p_memsz;

    if (segment->p_offset > file->length ||
        segment->p_filesz > file->length - segment->p_offset ||
        segment->p_filesz > segment->p_memsz || end > sizeof(image->bytes))
        return false;
    memcpy(image->bytes + segment->p_vaddr, file->bytes + segment->p_offset,
           segment->p_filesz);
    if (segment->p_vaddr + segment->p_filesz > image->filled_bytes)
        image->filled_bytes = segment->p_vaddr + segment->p_filesz;
    end = (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    if (end > image->length)
        image->length = end;
    if (segment->p_flags & PF_W)
        image->data_offset = segment->p_vaddr & ~(PAGE_BYTES - 1);
    return true;
}

/* The only exported symbol is agent_exported_place; relocations there must be none. */
static bool read_dynamic(struct agent_image *image, const Elf64_Phdr *segment)
{
    const Elf64_Dyn *entry = (const Elf64_Dyn *)(image->bytes + segment->p_vaddr);
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL;
    const uint32_t *hash = NULL;

    for (size_t i = 0; i < segment->p_memsz / sizeof(*entry); i++) {
        uint64_t value = entry[i].d_un.d_val;

        if (entry[i].d_tag == DT_RELA || entry[i].d_tag == DT_NEEDED ||
            value >= sizeof(image->bytes))
            return false;
        if (entry[i].d_tag == DT_SYMTAB)
            symbols = (const Elf64_Sym *)(image->bytes + value);
        if (entry[i].d_tag == DT_STRTAB)
            names = (const char *)image->bytes + value;
        if (entry[i].d_tag == DT_HASH)
            hash = (const uint32_t *)(image->bytes + value);
        if (entry[i].d_tag == DT_NULL)
            break;
    }
    for (uint32_t i = 1; symbols && names && hash && i < hash[1]; i++)
        if (!strcmp(names + symbols[i].st_name, "agent_exported_place"))
            image->place = symbols[i].st_value;
    return image->place != 0;
}

int agent_image_build(struct agent_image *image, struct err *err)
{
    struct file file;
    const Elf64_Phdr *dynamic = NULL;

    if (!open_file(&file))
        return broken(err, "not an ELF object");
    for (int i = 0; i < file.header->e_phnum; i++) {
        const Elf64_Phdr *segment = &file.segments[i];

        if (segment->p_type == PT_LOAD && !add_segment(image, &file, segment))
            return broken(err, "too large");
        if (segment->p_type == PT_DYNAMIC)
            dynamic = segment;
    }
    if (!dynamic || !read_dynamic(image, dynamic))
        return broken(err, "it has relocations or no place for addresses");
    image->entry = file.header->e_entry;
    image->data_bytes = image->length - image->data_offset;
    if (!image->data_offset || image->place < image->data_offset ||
        image->place > image->filled_bytes - sizeof(struct agent_place))
        return broken(err, "no data");
    return 0;
}
