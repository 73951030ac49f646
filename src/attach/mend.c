#include "attach/mend.h"

/* Finished in the stub, for the kernel restarts no write of which a part was done. */
static bool finish_write(struct scene *scene, pid_t tid, struct arch_registers *registers)
{
    struct arch_registers finishing = *registers;
    struct err ignored = ERR_INIT;
    struct stub_rest rest;
    uint64_t slot =
        arch_go_on(&finishing, scene->cave + (uint64_t)(stub_rest - stub_begin), &rest);

    if ((scene->must_poke && cave_poke_stub(scene, tid, &ignored) != 0) ||
        scene_write(scene, slot, &rest, sizeof(rest)) != 0)
        return false;
    *registers = finishing;
    return true;
}

bool mend_call(struct scene *scene, pid_t tid, struct arch_registers *registers,
               struct borrowed *borrowed)
{
    struct reader *reader = scene->target->reader;

    if (!arch_is_cut_short(registers, reader))
        return arch_fix_restart(registers) || arch_undo_restart(registers, reader);
    if (!finish_write(scene, tid, registers))
        return false;
    borrowed->left_alone = true;
    return true;
}
