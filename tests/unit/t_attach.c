/* What of the attach can be proven without a target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "attach/agent_image.h"
#include "attach/arch.h"
#include "attach/scene.h"

static void image_is_self_contained(void **state)
{
    struct agent_image *image = calloc(1, sizeof(*image));
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(image);
    /* Refuses an agent with relocations, imports or without a place. */
    assert_int_equal(agent_image_build(image, &err), 0);
    assert_true(image->length > 0 && image->length % 4096 == 0);
    assert_true(image->data_offset % 4096 == 0);
    assert_int_equal(image->data_offset + image->data_bytes, image->length);
    assert_true(image->entry < image->data_offset);
    assert_true(image->place >= image->data_offset);
    free(image);
}

static void stub_fits_the_smallest_loader(void **state)
{
    (void)state;
    /* _dl_start of glibc 2.31 has 1543 bytes. */
    assert_true(stub_end - stub_begin < 1543);
    assert_int_equal(stub_end - stub_table_begin, sizeof(struct stub_table));
}

static struct arch_registers in_call(long number, int64_t result)
{
    struct arch_registers registers;

    memset(&registers, 0, sizeof(registers));
    registers.user.rip = 0x1002;
    registers.user.rsp = 0x7fff0000;
    registers.user.orig_rax = (uint64_t)number;
    registers.user.rax = (uint64_t)result;
    return registers;
}

static void frame_restarts_the_call(void **state)
{
    struct arch_registers registers = in_call(SYS_read, -512);
    struct stub_frame frame;
    uint64_t address = arch_build_frame(&frame, &registers, 0x55);

    (void)state;
    assert_int_equal(frame.pc, 0x1000);
    assert_int_equal(frame.registers[8], SYS_read); /* rax */
    assert_int_equal(frame.registers[16], 0x7fff0000 - FRAME_RED_ZONE);
    assert_int_equal(frame.mask, 0x55);
    assert_int_equal(address % 64, 0);
    assert_true(address + FRAME_BYTES <= 0x7fff0000 - FRAME_RED_ZONE);
    registers = in_call(SYS_nanosleep, -516);
    arch_build_frame(&frame, &registers, 0);
    assert_int_equal(frame.pc, 0x1000);
    assert_int_equal(frame.registers[8], SYS_restart_syscall);
    registers = in_call(-1, -512); /* not in a call: a plain value */
    arch_build_frame(&frame, &registers, 0);
    assert_int_equal(frame.pc, 0x1002);
}

static void endless_epoll_is_restarted(void **state)
{
    struct arch_registers registers = in_call(SYS_epoll_wait, -4);

    (void)state;
    registers.user.r10 = 0xffffffff;
    arch_fix_restart(&registers);
    assert_int_equal((int64_t)registers.user.rax, -514);
    registers = in_call(SYS_epoll_wait, -4);
    registers.user.r10 = 1000;
    arch_fix_restart(&registers);
    assert_int_equal((int64_t)registers.user.rax, -4);
}

/* mov $1,%eax; syscall: registers are behind it, or at it when it begins anew. */
static struct reader *code_of_a_call(void)
{
    static const uint8_t code[] = {0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0};
    static struct image_segment segment = {{0x1002 - 7}, code, sizeof(code)};

    return reader_image_new(&segment, 1);
}

static void rest_of_a_write_is_done(void **state)
{
    struct arch_registers registers = in_call(SYS_write, 600);
    struct reader *reader = code_of_a_call();
    struct stub_rest rest;
    uint64_t slot;

    (void)state;
    registers.user.rsi = 0x5000;
    registers.user.rdx = 600;
    assert_false(arch_is_cut_short(&registers, reader));
    registers.user.rdx = 1000;
    assert_true(arch_is_cut_short(&registers, reader));
    slot = arch_go_on(&registers, 0x9000, &rest);
    assert_int_equal(slot, 0x7fff0000 - 128 - sizeof(rest));
    assert_int_equal(registers.user.rsp, slot);
    assert_int_equal(registers.user.rsi, 0x5000 + 600);
    assert_int_equal(registers.user.rdx, 400);
    assert_int_equal(registers.user.rip, 0x9000);
    assert_int_equal((int64_t)registers.user.rax, -514);
    assert_int_equal(rest.done_bytes, 600);
    assert_int_equal(rest.buffer, 0x5000);
    assert_int_equal(rest.length, 1000);
    assert_int_equal(rest.pc, 0x1002);
    reader_close(reader);
}

static void call_that_begins_anew_has_written_nothing(void **state)
{
    struct arch_registers registers = in_call(SYS_write, SYS_write);
    struct reader *reader = code_of_a_call();

    (void)state;
    registers.user.rdx = 1000;
    registers.user.rip = 0x1000;
    assert_false(arch_is_cut_short(&registers, reader));
    assert_true(arch_undo_restart(&registers, reader));
    assert_int_equal(registers.user.rip, 0x1002);
    assert_int_equal((int64_t)registers.user.rax, -512);
    assert_false(arch_undo_restart(&registers, reader));
    registers = in_call(SYS_write, 1); /* a byte was written, and one more call made */
    assert_false(arch_undo_restart(&registers, reader));
    reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_is_self_contained),
        cmocka_unit_test(stub_fits_the_smallest_loader),
        cmocka_unit_test(frame_restarts_the_call),
        cmocka_unit_test(endless_epoll_is_restarted),
        cmocka_unit_test(rest_of_a_write_is_done),
        cmocka_unit_test(call_that_begins_anew_has_written_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
