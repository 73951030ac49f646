/*
 * The module's entry on x86-64. It ends with a jump to dlclose, which returns 0 to
 * CPython: "no module", and nothing of the object runs once it is unmapped.
 */
	.text
	.globl	PyInit_heaptop
	.type	PyInit_heaptop, @function
	.hidden	loader_arrive
	.weak	dlclose
PyInit_heaptop:
	endbr64
	subq	$8, %rsp
	call	loader_arrive
	addq	$8, %rsp
	testq	%rax, %rax
	jz	.Lstay
	movq	%rax, %rdi
	movq	dlclose@GOTPCREL(%rip), %rax
	jmp	*%rax
.Lstay:
	ret
	.size	PyInit_heaptop, . - PyInit_heaptop
	.section .note.GNU-stack, "", @progbits
