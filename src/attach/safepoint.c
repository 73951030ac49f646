#include "attach/safepoint.h"

#include <stdlib.h>
#include <string.h>

#include "attach/threads.h"
#include "util/xalloc.h"

#define SNAPSHOT_BYTES_MAX 262144
#define FRAMES_MAX         512
#define STACK_ROOM_BYTES   24576
#define CALL_BYTES_MAX     7
#define GENERATED_BYTES    1024 /* of stack, that a function of generated code uses */

/* Exported by libunwind, declared in its private dwarf.h. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip,
                                              unw_dyn_info_t *info, unw_proc_info_t *proc,
                                              int need_unwind_info, void *argument);

struct safepoint {
    struct scene *scene;
    unw_addr_space_t space;
    const struct arch_registers *registers;
    struct arch_registers caller; /* as far as known, of generated code */
    uint8_t *stack; /* the copy of [stack_start, stack_start + stack_bytes) */
    uint64_t stack_start;
    size_t stack_bytes;
    const struct image *image; /* where the last word was, for libunwind reads many */
    bool is_rehearsed;
    bool ran_out; /* no unwind table for an address */
};

static bool is_in_image(struct safepoint *safepoint, uint64_t address)
{
    if (!safepoint->image || !image_contains(safepoint->image, raddr_of(address)))
        safepoint->image = scene_image_at(safepoint->scene, address);
    return safepoint->image != NULL;
}

static int read_word(struct safepoint *safepoint, uint64_t address, uint64_t *value)
{
    uint64_t in_stack = address - safepoint->stack_start;

    if (in_stack < safepoint->stack_bytes &&
        safepoint->stack_bytes - in_stack >= sizeof(*value)) {
        memcpy(value, safepoint->stack + in_stack, sizeof(*value));
        return 0;
    }
    if (is_in_image(safepoint, address))
        return scene_read_image(safepoint->scene, address, value, sizeof(*value));
    return scene_read(safepoint->scene, address, value, sizeof(*value));
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
    const struct safepoint *safepoint = argument;

    (void)space;
    if (write || !arch_unwind_register(safepoint->registers, number, value))
        return -UNW_EBADREG;
    return 0;
}

/* .eh_frame_hdr (LSB): version 1, then the usual encodings with a sorted table
 * of 32-bit pairs relative to the header. */
static bool table_of(struct safepoint *safepoint, const struct image *image,
                     unw_dyn_info_t *info)
{
    uint64_t header = image->eh_frame_hdr, word, count;
    uint8_t bytes[8];

    if (!header || read_word(safepoint, header, &word) != 0 ||
        read_word(safepoint, header + 8, &count) != 0)
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
    struct safepoint *safepoint = argument;
    const struct image *image = scene_image_at(safepoint->scene, ip);
    unw_dyn_info_t info;
    int status = -UNW_ENOINFO;

    if (image && table_of(safepoint, image, &info))
        status = UNW_OBJ(dwarf_search_unwind_table)(space, ip, &info, proc,
                                                    need_unwind_info, argument);
    if (status < 0)
        safepoint->ran_out = true;
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

struct safepoint *safepoint_new(struct scene *scene)
{
    struct safepoint *safepoint = xcalloc(1, sizeof(*safepoint));
    unw_accessors_t accessors = {
        .find_proc_info = find_function,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = no_dynamic_list,
        .access_mem = access_memory,
        .access_reg = access_register,
        .access_fpreg = no_float,
        .resume = no_resume,
        .get_proc_name = no_name,
    };

    safepoint->scene = scene;
    safepoint->stack = xcalloc(1, SNAPSHOT_BYTES_MAX);
    safepoint->space = unw_create_addr_space(&accessors, 0);
    if (safepoint->space)
        unw_set_caching_policy(safepoint->space, UNW_CACHE_NONE);
    return safepoint;
}

void safepoint_free(struct safepoint *safepoint)
{
    if (!safepoint)
        return;
    if (safepoint->space)
        unw_destroy_addr_space(safepoint->space);
    free(safepoint->stack);
    free(safepoint);
}

/* NULL, or why the stack cannot be used. */
static const char *copy_stack(struct safepoint *safepoint)
{
    struct target *target = safepoint->scene->target;
    uint64_t sp = arch_sp(safepoint->registers);
    const struct mapping *mapping = maps_find(&target->maps, raddr_of(sp));
    struct err ignored = ERR_INIT;
    size_t bytes;

    if (!mapping || !mapping->is_writable) {
        target_reread_maps(target, &ignored);
        mapping = maps_find(&target->maps, raddr_of(sp));
    }
    if (!mapping || !mapping->is_writable)
        return "a strange stack";
    if (sp - mapping->start < STACK_ROOM_BYTES && strcmp(mapping->path, "[stack]"))
        return "the end of its stack";
    bytes = mapping->end - sp > SNAPSHOT_BYTES_MAX ? SNAPSHOT_BYTES_MAX
                                                   : (size_t)(mapping->end - sp);
    safepoint->stack_start = sp;
    safepoint->stack_bytes = 0;
    if (scene_read(safepoint->scene, sp, safepoint->stack, bytes) != 0)
        return "a strange stack";
    safepoint->stack_bytes = bytes;
    return NULL;
}

/* Is there a call instruction before the address? E8 rel32, or FF /2. */
static bool follows_call(struct safepoint *safepoint, uint64_t address)
{
    uint8_t code[CALL_BYTES_MAX];

    if (scene_read_image(safepoint->scene, address - CALL_BYTES_MAX, code, sizeof(code)))
        return true;
    if (code[CALL_BYTES_MAX - 5] == 0xe8)
        return true;
    for (int length = 2; length <= CALL_BYTES_MAX; length++)
        if (code[CALL_BYTES_MAX - length] == 0xff &&
            (code[CALL_BYTES_MAX - length + 1] & 0x38) == 0x10)
            return true;
    return false;
}

/* Looks for return addresses into unsafe code in a part of the stack. */
static const char *scan(struct safepoint *safepoint, uint64_t from, uint64_t to)
{
    uint64_t end = to - safepoint->stack_start;

    for (uint64_t i = from - safepoint->stack_start;
         i < end && i + 8 <= safepoint->stack_bytes; i += 8) {
        const char *name;
        uint64_t word;

        memcpy(&word, safepoint->stack + i, sizeof(word));
        name = scene_unsafe_name(safepoint->scene, word - 1);
        if (name && follows_call(safepoint, word))
            return name;
    }
    return NULL;
}

struct walk {
    int frames, python_frames;
    bool is_lost, reached_end;
    bool is_waiting; /* the frame below is in a function of libc that waits, or one that a
                        sanitizer has put around it */
    const char *objection;
};

/* Why no thread with this frame may be borrowed; NULL: no reason. */
static const char *judge_frame(const struct safepoint *safepoint, unw_cursor_t *cursor,
                               uint64_t ip, struct walk *walk)
{
    const char *name = scene_unsafe_name(safepoint->scene, ip);

    if (name == scene_sanitizer && walk->is_waiting)
        return NULL;
    walk->is_waiting = scene_is_wait(safepoint->scene, ip);
    if (!name && unw_is_signal_frame(cursor) > 0)
        return "a signal handler";
    return name;
}

/*
 * Generated code (a JIT, perf's trampolines: Python/perf_trampoline.c, 3.12+) has no
 * unwind table, and libunwind then follows the frame pointer. That is believed when
 * it leads to a call in Python's text; what it passed over is scanned.
 */
static bool has_found_caller(struct safepoint *safepoint, unw_cursor_t *cursor,
                             uint64_t sp, struct walk *walk)
{
    unw_word_t ip, caller_sp;

    if (unw_get_reg(cursor, UNW_REG_IP, &ip) != 0 ||
        unw_get_reg(cursor, UNW_REG_SP, &caller_sp) != 0 || caller_sp <= sp ||
        caller_sp - safepoint->stack_start > safepoint->stack_bytes ||
        !scene_is_python_text(safepoint->scene, ip) || !follows_call(safepoint, ip))
        return false;
    walk->objection = scan(safepoint, sp, caller_sp);
    return true;
}

/* Without a frame pointer (the JIT of 3.14): the nearest word that is the return
 * address of a call in Python's text. Wrong guesses end in the middle of nowhere. */
static bool search_caller(struct safepoint *safepoint, unw_cursor_t *generated,
                          unw_cursor_t *cursor, uint64_t sp, struct walk *walk)
{
    for (uint64_t at = sp; at < sp + GENERATED_BYTES; at += 8) {
        uint64_t i = at - safepoint->stack_start, word;

        if (i > safepoint->stack_bytes || safepoint->stack_bytes - i < sizeof(word))
            return false;
        memcpy(&word, safepoint->stack + i, sizeof(word));
        if (!scene_is_python_text(safepoint->scene, word) ||
            !follows_call(safepoint, word))
            continue;
        safepoint->caller =
            arch_resumed(safepoint->registers, generated, word, at + sizeof(word));
        safepoint->registers = &safepoint->caller;
        walk->objection = scan(safepoint, sp, at);
        return unw_init_remote(cursor, safepoint->space, safepoint) == 0;
    }
    return false;
}

/* In no image, and yet executable. The maps may be older than the code. */
static bool is_generated(struct safepoint *safepoint, uint64_t ip)
{
    struct target *target = safepoint->scene->target;
    const struct mapping *mapping = maps_find(&target->maps, raddr_of(ip));
    struct err ignored = ERR_INIT;

    if (scene_image_at(safepoint->scene, ip))
        return false;
    if (!mapping) {
        target_reread_maps(target, &ignored);
        mapping = maps_find(&target->maps, raddr_of(ip));
    }
    return mapping && mapping->is_executable;
}

/* One frame up; as unw_step(), also past generated code. */
static int step(struct safepoint *safepoint, unw_cursor_t *cursor, uint64_t ip,
                struct walk *walk)
{
    unw_cursor_t before = *cursor;
    unw_word_t sp;
    int status;

    if (unw_get_reg(cursor, UNW_REG_SP, &sp) != 0)
        return -UNW_EBADREG;
    safepoint->ran_out = false;
    status = unw_step(cursor);
    if (!safepoint->ran_out)
        return status;
    if (sp < safepoint->stack_start || !is_generated(safepoint, ip)) {
        walk->is_lost = true;
        return status;
    }
    if ((status > 0 && has_found_caller(safepoint, cursor, sp, walk)) ||
        search_caller(safepoint, &before, cursor, sp, walk))
        return 1;
    walk->is_lost = true;
    return status;
}

static void unwind(struct safepoint *safepoint, struct walk *walk)
{
    unw_cursor_t cursor;
    unw_word_t ip, sp, above = 0;
    int status = 1;

    if (!safepoint->space || unw_init_remote(&cursor, safepoint->space, safepoint) != 0)
        return;
    while (status > 0 && walk->frames < FRAMES_MAX) {
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 ||
            unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0)
            return;
        /* A frame below the one that it called: what led there was no frame. */
        walk->is_lost |= sp <= above && walk->frames;
        if (walk->is_lost)
            return;
        above = sp;
        /* A return address may lie just behind a function that does not return. */
        walk->objection =
            judge_frame(safepoint, &cursor, walk->frames ? ip - 1 : ip, walk);
        if (walk->objection)
            return;
        walk->frames++;
        walk->python_frames += scene_is_python_text(safepoint->scene, ip);
        status = step(safepoint, &cursor, ip, walk);
        if (walk->objection)
            return;
    }
    walk->reached_end = status == 0 && !walk->is_lost;
}

const char *safepoint_objection(struct safepoint *safepoint,
                                const struct arch_registers *registers, bool is_main)
{
    struct walk walk = {0};
    const char *objection;

    safepoint->registers = registers;
    if (!arch_is_native(registers))
        return "code of another machine";
    objection = copy_stack(safepoint);
    if (objection)
        return objection;
    unwind(safepoint, &walk);
    if (walk.objection)
        return walk.objection;
    if (!walk.reached_end &&
        (walk.is_lost || walk.frames < FRAMES_MAX || walk.python_frames < 3)) {
        objection = scan(safepoint, safepoint->stack_start,
                         safepoint->stack_start + safepoint->stack_bytes);
        if (objection)
            return objection;
    }
    if (walk.python_frames || (is_main && walk.reached_end && walk.frames > 1))
        return NULL;
    return "a thread without Python";
}

/* What is found on the stack of nearly every thread of Python's. */
static const char *const likely[] = {
    "_PyEval_EvalFrameDefault",
    "PyEval_EvalCode",
    "_PyFunction_Vectorcall",
    "PyObject_Vectorcall",
    "PyObject_Call",
    "Py_RunMain",
    "Py_BytesMain",
    "PyThread_acquire_lock_timed",
};

static void rehearse_function(struct safepoint *safepoint, const char *name)
{
    struct scene *scene = safepoint->scene;
    struct image_symbol symbol;
    uint64_t start, end;

    if (image_symbol(&scene->target->python, scene->kept, name, &symbol))
        safepoint_function(safepoint, symbol.address.value, &start, &end);
}

void safepoint_rehearse(struct safepoint *safepoint, pid_t tid)
{
    struct arch_registers registers;
    uint64_t pc = 0, sp = 0;

    for (size_t i = 0; i < sizeof(likely) / sizeof(likely[0]) && !safepoint->is_rehearsed;
         i++)
        rehearse_function(safepoint, likely[i]);
    safepoint->is_rehearsed = true;
    if (tid > 0)
        threads_where(safepoint->scene->target, tid, &pc, &sp);
    registers = arch_imagined(pc, sp);
    safepoint_objection(safepoint, &registers, false);
}

bool safepoint_function(struct safepoint *safepoint, uint64_t address, uint64_t *start,
                        uint64_t *end)
{
    unw_proc_info_t proc;
    bool found;

    memset(&proc, 0, sizeof(proc));
    found = safepoint->space &&
            find_function(safepoint->space, address, &proc, 0, safepoint) == 0;
    *start = proc.start_ip;
    *end = proc.end_ip;
    return found;
}
