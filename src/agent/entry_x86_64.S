/*
 * The agent's first and last instructions on x86-64. The last one jumps to
 * libc's munmap with the agent's own image as argument: munmap returns to the
 * C library's start of thread, so nothing of the image runs once it is gone.
 */
	.text
	.globl	agent_entry
	.hidden	agent_entry, agent_main
agent_entry:
	endbr64
	subq	$8, %rsp
	call	agent_main
	addq	$8, %rsp
	testl	%eax, %eax
	jnz	.Lstay
	movq	agent_place(%rip), %rdi
	movq	8+agent_place(%rip), %rsi
	movq	24+agent_place(%rip), %rax
	jmp	*%rax
.Lstay:
	xorl	%eax, %eax
	ret
	.section .note.GNU-stack, "", @progbits
