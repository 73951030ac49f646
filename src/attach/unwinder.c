#include "attach/unwinder.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define CALL_BYTES_MAX  7
#define GENERATED_BYTES 1024 /* of stack, that a function of generated code uses */
#define WINDOW_BYTES    256  /* of a table, that are read at once */

/* Exported by libunwind, declared in its private dwarf.h. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip,
                                              unw_dyn_info_t *info, unw_proc_info_t *proc,
                                              int need_unwind_info, void *argument);

struct unwinder {
    struct scene *scene;
    unw_addr_space_t space;
    unw_cursor_t cursor;
    const struct arch_registers *registers;
    struct arch_registers caller; /* as far as known, of generated code */
    struct unwinder_stack stack;
    uint64_t above;            /* sp of the frame before; 0: this is the first */
    const struct image *image; /* where the last word was, for libunwind reads many */
    uint64_t window;           /* the address of the words of images below; 0: none */
    uint8_t words[WINDOW_BYTES];
    bool ran_out; /* no unwind table for an address */
};

static bool is_in_image(struct unwinder *unwinder, uint64_t address)
{
    if (!unwinder->image || !image_contains(unwinder->image, raddr_of(address)))
        unwinder->image = scene_image_at(unwinder->scene, address);
    return unwinder->image != NULL;
}

/* libunwind asks for each byte of a table by the word in which it lies. */
static int read_image_word(struct unwinder *unwinder, uint64_t address, uint64_t *value)
{
    uint64_t inside = address % WINDOW_BYTES;

    if (inside > WINDOW_BYTES - sizeof(*value))
        return scene_read_image(unwinder->scene, address, value, sizeof(*value));
    if (unwinder->window != address - inside) {
        unwinder->window = 0;
        if (scene_read_image(unwinder->scene, address - inside, unwinder->words,
                             WINDOW_BYTES) != 0)
            return scene_read_image(unwinder->scene, address, value, sizeof(*value));
        unwinder->window = address - inside;
    }
    memcpy(value, unwinder->words + inside, sizeof(*value));
    return 0;
}

static int read_word(struct unwinder *unwinder, uint64_t address, uint64_t *value)
{
    uint64_t in_stack = address - unwinder->stack.start;

    if (in_stack < unwinder->stack.length &&
        unwinder->stack.length - in_stack >= sizeof(*value)) {
        memcpy(value, unwinder->stack.bytes + in_stack, sizeof(*value));
        return 0;
    }
    if (unwinder->window && address - unwinder->window <= WINDOW_BYTES - sizeof(*value)) {
        memcpy(value, unwinder->words + (address - unwinder->window), sizeof(*value));
        return 0;
    }
    if (is_in_image(unwinder, address))
        return read_image_word(unwinder, address, value);
    return scene_read(unwinder->scene, address, value, sizeof(*value));
}

static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value,
                         int write, void *argument)
{
    (void)space;
    if (write)
        return -UNW_EINVAL;
    return read_word(argument, address, value) == 0 ? 0 : -UNW_EINVAL;
}

static int access_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
                           int write, void *argument)
{
    const struct unwinder *unwinder = argument;

    (void)space;
    if (write || (!unwinder->stack.knows_all_registers && number != UNW_REG_IP &&
                  number != UNW_REG_SP))
        return -UNW_EBADREG;
    if (!arch_unwind_register(unwinder->registers, number, value))
        return -UNW_EBADREG;
    return 0;
}

/* .eh_frame_hdr (LSB): version 1, then the usual encodings with a sorted table
 * of 32-bit pairs relative to the header. */
static bool table_of(struct unwinder *unwinder, const struct image *image,
                     unw_dyn_info_t *info)
{
    uint64_t header = image->eh_frame_hdr, word, count;
    uint8_t bytes[8];

    if (!header || read_word(unwinder, header, &word) != 0 ||
        read_word(unwinder, header + 8, &count) != 0)
        return false;
    memcpy(bytes, &word, sizeof(bytes));
    count &= UINT32_MAX;
    if (bytes[0] != 1 || bytes[2] != 0x03 || bytes[3] != 0x3b || !image->n_loads ||
        count > image->eh_frame_hdr_bytes / 8)
        return false;
    memset(info, 0, sizeof(*info));
    info->start_ip = image->loads[0].start;
    info->end_ip = image->loads[image->n_loads - 1].end;
    info->format = UNW_INFO_FORMAT_REMOTE_TABLE;
    info->u.rti.segbase = header;
    info->u.rti.table_data = header + 12;
    info->u.rti.table_len = count * 8 / sizeof(unw_word_t);
    return true;
}

static int find_function(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *proc,
                         int need_unwind_info, void *argument)
{
    struct unwinder *unwinder = argument;
    const struct image *image = scene_image_at(unwinder->scene, ip);
    unw_dyn_info_t info;
    int status = -UNW_ENOINFO;

    if (image && table_of(unwinder, image, &info))
        status = UNW_OBJ(dwarf_search_unwind_table)(space, ip, &info, proc,
                                                    need_unwind_info, argument);
    if (status < 0)
        unwinder->ran_out = true;
    return status;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *proc, void *argument)
{
    (void)space;
    (void)proc;
    (void)argument;
}

static int no_dynamic_list(unw_addr_space_t space, unw_word_t *address, void *argument)
{
    (void)space;
    (void)address;
    (void)argument;
    return -UNW_ENOINFO;
}

static int no_float(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value,
                    int write, void *argument)
{
    (void)space;
    (void)number;
    (void)value;
    (void)write;
    (void)argument;
    return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *argument)
{
    (void)space;
    (void)cursor;
    (void)argument;
    return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space, unw_word_t address, char *buffer,
                   size_t length, unw_word_t *offset, void *argument)
{
    (void)space;
    (void)address;
    (void)buffer;
    (void)length;
    (void)offset;
    (void)argument;
    return -UNW_ENOINFO;
}

/* Of libunwind, once in a process. What it has learned of a function before a thread
 * stood still is not looked up again while it does. */
static unw_addr_space_t space_of_all;

void unwinder_prepare(void)
{
    static unw_accessors_t accessors = {
        .find_proc_info = find_function,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = no_dynamic_list,
        .access_mem = access_memory,
        .access_reg = access_register,
        .access_fpreg = no_float,
        .resume = no_resume,
        .get_proc_name = no_name,
    };

    if (space_of_all)
        return;
    space_of_all = unw_create_addr_space(&accessors, 0);
    if (space_of_all)
        unw_set_caching_policy(space_of_all, UNW_CACHE_GLOBAL);
}

struct unwinder *unwinder_new(struct scene *scene)
{
    struct unwinder *unwinder = xcalloc(1, sizeof(*unwinder));

    unwinder_prepare();
    unwinder->scene = scene;
    unwinder->space = space_of_all;
    return unwinder;
}

/* The next one's target is another one. */
void unwinder_free(struct unwinder *unwinder)
{
    if (unwinder && unwinder->space)
        unw_flush_cache(unwinder->space, 0, 0);
    free(unwinder);
}

/* Where it is mapped; the maps may be older than it. */
static const struct mapping *find_mapping(struct target *target, uint64_t address,
                                          bool is_writable)
{
    const struct mapping *mapping = maps_find(&target->maps, raddr_of(address));
    struct err ignored = ERR_INIT;

    if (mapping && (!is_writable || mapping->is_writable))
        return mapping;
    target_reread_maps(target, &ignored);
    return maps_find(&target->maps, raddr_of(address));
}

uint64_t unwinder_stack_end(struct target *target, uint64_t sp)
{
    const struct mapping *mapping = find_mapping(target, sp, true);

    if (!mapping || !mapping->is_writable)
        return 0;
    return mapping->end - sp > UNWINDER_STACK_BYTES_MAX ? sp + UNWINDER_STACK_BYTES_MAX
                                                        : mapping->end;
}

/* E8 rel32, or FF /2. */
bool unwinder_follows_call(struct unwinder *unwinder, uint64_t address)
{
    uint8_t code[CALL_BYTES_MAX];

    if (scene_read_image(unwinder->scene, address - CALL_BYTES_MAX, code, sizeof(code)))
        return true;
    if (code[CALL_BYTES_MAX - 5] == 0xe8)
        return true;
    for (int length = 2; length <= CALL_BYTES_MAX; length++)
        if (code[CALL_BYTES_MAX - length] == 0xff &&
            (code[CALL_BYTES_MAX - length + 1] & 0x38) == 0x10)
            return true;
    return false;
}

/*
 * Generated code (a JIT, perf's trampolines: Python/perf_trampoline.c, 3.12+) has no
 * unwind table, and libunwind then follows the frame pointer. That is believed when
 * it leads to a call in Python's text.
 */
static bool has_found_caller(struct unwinder *unwinder, uint64_t sp, uint64_t *to)
{
    const struct unwinder_stack *stack = &unwinder->stack;
    unw_word_t ip, caller_sp;

    if (unw_get_reg(&unwinder->cursor, UNW_REG_IP, &ip) != 0 ||
        unw_get_reg(&unwinder->cursor, UNW_REG_SP, &caller_sp) != 0 || caller_sp <= sp ||
        caller_sp - stack->start > stack->length ||
        !scene_is_python_text(unwinder->scene, ip) ||
        !unwinder_follows_call(unwinder, ip))
        return false;
    *to = caller_sp;
    return true;
}

/* Without a frame pointer (the JIT of 3.14): the nearest word that is the return
 * address of a call in Python's text. Wrong guesses end in the middle of nowhere. */
static bool search_caller(struct unwinder *unwinder, unw_cursor_t *generated, uint64_t sp,
                          uint64_t *to)
{
    const struct unwinder_stack *stack = &unwinder->stack;

    for (uint64_t at = sp; at < sp + GENERATED_BYTES; at += 8) {
        uint64_t i = at - stack->start, word;

        if (i > stack->length || stack->length - i < sizeof(word))
            return false;
        memcpy(&word, stack->bytes + i, sizeof(word));
        if (!scene_is_python_text(unwinder->scene, word) ||
            !unwinder_follows_call(unwinder, word))
            continue;
        unwinder->caller =
            arch_resumed(unwinder->registers, generated, word, at + sizeof(word));
        unwinder->registers = &unwinder->caller;
        *to = at;
        return unw_init_remote(&unwinder->cursor, unwinder->space, unwinder) == 0;
    }
    return false;
}

/* In no image, and yet executable. */
static bool is_generated(struct unwinder *unwinder, uint64_t ip)
{
    const struct mapping *mapping;

    if (scene_image_at(unwinder->scene, ip))
        return false;
    mapping = find_mapping(unwinder->scene->target, ip, false);
    return mapping && mapping->is_executable;
}

bool unwinder_begin(struct unwinder *unwinder, const struct arch_registers *registers,
                    const struct unwinder_stack *stack)
{
    unwinder->registers = registers;
    unwinder->stack = *stack;
    unwinder->above = 0;
    return unwinder->space &&
           unw_init_remote(&unwinder->cursor, unwinder->space, unwinder) == 0;
}

static bool read_frame(struct unwinder *unwinder, struct unwinder_frame *frame)
{
    unw_word_t ip, sp;

    if (unw_get_reg(&unwinder->cursor, UNW_REG_IP, &ip) != 0 ||
        unw_get_reg(&unwinder->cursor, UNW_REG_SP, &sp) != 0)
        return false;
    *frame = (struct unwinder_frame){.ip = ip, .sp = sp};
    return true;
}

bool unwinder_frame(struct unwinder *unwinder, struct unwinder_frame *frame)
{
    if (!read_frame(unwinder, frame))
        return false;
    frame->is_signal_handler_return = unw_is_signal_frame(&unwinder->cursor) > 0;
    return true;
}

/* A frame below the one that it called: what led there was no frame. */
static enum unwinder_step check_order(struct unwinder *unwinder)
{
    struct unwinder_frame frame;

    if (!read_frame(unwinder, &frame))
        return UNWINDER_FAILED;
    return frame.sp <= unwinder->above ? UNWINDER_LOST : UNWINDER_FRAME;
}

enum unwinder_step unwinder_step(struct unwinder *unwinder, uint64_t *from, uint64_t *to)
{
    unw_cursor_t before = unwinder->cursor;
    struct unwinder_frame frame;
    int status;

    *from = *to = 0;
    if (!read_frame(unwinder, &frame))
        return UNWINDER_FAILED;
    *from = unwinder->above = frame.sp;
    unwinder->ran_out = false;
    status = unw_step(&unwinder->cursor);
    if (!unwinder->ran_out && status <= 0)
        return status == 0 ? UNWINDER_OUTERMOST : UNWINDER_FAILED;
    if (!unwinder->ran_out)
        return check_order(unwinder);
    if (frame.sp < unwinder->stack.start || !is_generated(unwinder, frame.ip) ||
        ((status <= 0 || !has_found_caller(unwinder, frame.sp, to)) &&
         !search_caller(unwinder, &before, frame.sp, to)))
        return UNWINDER_LOST;
    return check_order(unwinder);
}

bool unwinder_function(struct unwinder *unwinder, uint64_t address, uint64_t *start,
                       uint64_t *end)
{
    unw_proc_info_t proc;
    bool found;

    memset(&proc, 0, sizeof(proc));
    found = unwinder->space &&
            find_function(unwinder->space, address, &proc, 0, unwinder) == 0;
    *start = proc.start_ip;
    *end = proc.end_ip;
    return found;
}
