/*
 * What a forked child keeps of the agent: three pages, all that the child's copy
 * of the gc callback can reach. Everything else is not there after a fork.
 *
 * The entries go to the agent through the guard. A fork wipes the guard's page,
 * and a leaving agent clears it: from then on the callback returns None and the
 * death of its capsule is nobody's business. Each section is whole pages, so that
 * it can be kept, wiped or left out on its own.
 */
	.section .kept, "ax", @progbits
	.globl	agent_kept_code, agent_callback_entry, agent_death_entry
	.hidden	agent_kept_code, agent_callback_entry, agent_death_entry
	.globl	agent_kept, agent_guard
	.hidden	agent_kept, agent_guard
	.balign	4096
agent_kept_code:
agent_callback_entry:
	endbr64
	movq	agent_guard(%rip), %rax
	testq	%rax, %rax
	jz	.Lnone
	jmp	*%rax
.Lnone:
	subq	$8, %rsp
	movq	8+agent_kept(%rip), %rdi
	call	*agent_kept(%rip)
	movq	8+agent_kept(%rip), %rax
	addq	$8, %rsp
	ret
agent_death_entry:
	endbr64
	movq	8+agent_guard(%rip), %rax
	testq	%rax, %rax
	jz	.Lnothing
	jmp	*%rax
.Lnothing:
	ret
	.balign	4096

	.section .kept_data, "aw", @progbits
	.balign	4096
agent_kept:
	.skip	4096
agent_guard:
	.skip	4096
	.section .note.GNU-stack, "", @progbits
