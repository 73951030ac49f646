/*
 * The agent's first and last instructions on x86-64. The last one jumps to
 * libc's munmap with the agent's own code as argument: munmap returns to the
 * C library's start of thread, so nothing of the code runs once it is gone. What
 * agent_main() wants unmapped, it says in a struct agent_farewell.
 */
	.text
	.globl	agent_entry
	.hidden	agent_entry, agent_main
agent_entry:
	endbr64
	subq	$24, %rsp
	movq	%rsp, %rsi
	call	agent_main
	movq	(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	16(%rsp), %rax
	addq	$24, %rsp
	testq	%rsi, %rsi
	jz	.Lstay
	jmp	*%rax
.Lstay:
	xorl	%eax, %eax
	ret
	.section .note.GNU-stack, "", @progbits
