/*
 * The module's entry on x86-64, under both names that CPython may look for (3.15
 * loads the object once more for the second one, PEP 793). It ends with a jump to
 * dlclose, which returns 0 to CPython: "no module", and nothing of the object runs once
 * it is unmapped.
 */
	.text
	.globl	PyInit_heaptop, PyModExport_heaptop
	.type	PyInit_heaptop, @function
	.type	PyModExport_heaptop, @function
	.hidden	loader_arrive
	.weak	dlclose
PyInit_heaptop:
PyModExport_heaptop:
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
