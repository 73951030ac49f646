/*
 * A thread of the kernel's alone on x86-64: the C library does not know it, so it may use
 * nothing of that, and shares its maker's thread-local storage. What it runs, and with
 * what, waits on its stack.
 */
#define SYS_clone 56
#define SYS_exit  60

	.text
	.globl	agent_thread_start
	.hidden	agent_thread_start
/* rdi = flags, rsi = the stack's end, rdx = the word, rcx = run, r8 = with */
agent_thread_start:
	endbr64
	subq	$16, %rsi
	movq	%rcx, (%rsi)
	movq	%r8, 8(%rsi)
	movq	%rdx, %r10
	xorl	%edx, %edx
	xorl	%r8d, %r8d
	movl	$SYS_clone, %eax
	syscall
	testq	%rax, %rax
	jz	.Lthread
	ret
.Lthread:
	xorl	%ebp, %ebp
	popq	%rax
	popq	%rdi
	call	*%rax
	xorl	%edi, %edi
	movl	$SYS_exit, %eax
	syscall
	hlt
	.section .note.GNU-stack, "", @progbits
