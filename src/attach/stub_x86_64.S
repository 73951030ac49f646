/*
 * The stub for x86-64. Position-independent, without data but the table at its
 * end; see stub.h. It lies in a read-only section: heaptop never runs it.
 *
 * Nothing here may use a system call that has a restart block (nanosleep, poll,
 * futex with a time-out) in the borrowed thread: it would overwrite the one of
 * the call that was interrupted.
 */
#include "agent/region.h"
#include "attach/stub.h"

#define SYS_close          3
#define SYS_mmap           9
#define SYS_munmap         11
#define SYS_rt_sigprocmask 14
#define SYS_select         23
#define SYS_setscheduler   144
#define SYS_futex          202
#define SYS_memfd_create   319
#define CLOCK_MONOTONIC    1
#define NAP_TICKS_MAX      1000 /* of one nap: the thread may have been stopped */
#define SHORT_NAP_NS       10000 /* and up to 50 us more: the kernel's timer slack */
#define SHORT_TICKS        20    /* so long the naps are short */
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129

	.section .rodata.heaptop_stub, "a", @progbits
	.globl	stub_begin, stub_borrowed, stub_rest, stub_table_begin, stub_end
	.hidden	stub_begin, stub_borrowed, stub_rest, stub_table_begin, stub_end
	.balign	16
stub_begin:
	.quad	STUB_MAGIC

/* rbx = frame, rsp below it and aligned. Saves the vectors (x87, SSE, AVX and
 * AVX-512; nothing called here touches AMX), then starts the thread. The region is left
 * to that one: to touch a page for the first time costs more than all else here. */
stub_borrowed:
	xorl	%ecx, %ecx
	xgetbv
	andl	$0xe7, %eax
	xorl	%edx, %edx
	movl	%eax, %r12d
	xsave64	FRAME_VECTORS(%rbx)
	fninit
	movl	$0x1f80, FRAME_SCRATCH(%rbx)
	ldmxcsr	FRAME_SCRATCH(%rbx)

	xorl	%edi, %edi
	movl	$REGION_BYTES, %esi
	movl	$3, %edx
	movl	$0x22, %r10d
	movq	$-1, %r8
	xorl	%r9d, %r9d
	movl	$SYS_mmap, %eax
	syscall
	cmpq	$-4095, %rax
	jae	.Lno_region
	movq	%rax, %r13
	leaq	FRAME_ATTR(%rbx), %r14
	movl	$STUB_STACK_BYTES, %r15d
.Lcreate:
	movq	%r14, %rdi
	call	*.Lattr_init(%rip)
	movq	%r14, %rdi
	movq	%r15, %rsi
	call	*.Lattr_setstacksize(%rip)
	movq	%r14, %rdi
	movl	$1, %esi
	call	*.Lattr_setdetachstate(%rip)
	leaq	FRAME_THREAD(%rbx), %rdi
	movq	%r14, %rsi
	leaq	stub_thread(%rip), %rdx
	movl	FRAME_HURRIED(%rbx), %ecx
	orq	%r13, %rcx
	call	*.Lcreate_thread(%rip)
	testl	%eax, %eax
	jz	.Lcreated
	cmpl	$STUB_SMALL_STACK_BYTES, %r15d
	je	.Lno_thread
	movl	$STUB_SMALL_STACK_BYTES, %r15d
	jmp	.Lcreate

/* It failed: no thread watches over this one, so it waits 50 ms for the
 * injector (select has no restart block) and then restores itself. */
.Lno_thread:
	movl	%eax, FRAME_RESULT(%rbx)
	movq	%r13, %rdi
	movl	$REGION_BYTES, %esi
	movl	$SYS_munmap, %eax
	syscall
	jmp	.Lalone
.Lno_region:
	movl	%eax, FRAME_RESULT(%rbx)
.Lalone:
	xorl	%r13d, %r13d
	movl	FRAME_RESULT(%rbx), %eax
	xorq	FRAME_NONCE(%rbx), %rax
	movq	%rax, FRAME_CHECK(%rbx)
	movl	%r12d, %eax
	xorl	%edx, %edx
	xrstor64 FRAME_VECTORS(%rbx)
	movl	$FRAME_WAITING, FRAME_DONE(%rbx)
	movq	$0, -16(%rsp)
	movq	$50000, -8(%rsp)
	leaq	-16(%rsp), %r8
	subq	$16, %rsp
	xorl	%edi, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	movl	$SYS_select, %eax
	syscall
	jmp	.Ldead_man

/* The region's word is not read here, for the region may be gone by then: the
 * kernel's answer says enough. EAGAIN: the watchdog has set it. EFAULT: gone. */
.Lcreated:
	movq	%r13, FRAME_REGION(%rbx)
	movq	FRAME_NONCE(%rbx), %rax
	xorq	%r13, %rax
	movq	%rax, FRAME_CHECK(%rbx)
	movl	%r12d, %eax
	xorl	%edx, %edx
	xrstor64 FRAME_VECTORS(%rbx)
	movl	$FRAME_WAITING, FRAME_DONE(%rbx)
.Lwait:
	leaq	REGION_TAKE_BACK(%r13), %rdi
	movl	$FUTEX_WAIT_PRIVATE, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	movl	$SYS_futex, %eax
	syscall
	cmpl	$-14, %eax
	je	.Ldead_man
	cmpl	$-11, %eax
	jne	.Lwait
	movl	$1, REGION_TAKEN(%r13)

/* The dead man's path: nobody came, the thread goes back to its work alone. */
.Ldead_man:
	movl	$FRAME_WAITING, %eax
	movl	$FRAME_RESTORED, %ecx
	lock cmpxchgl %ecx, FRAME_DONE(%rbx)
	cmpl	$0, FRAME_HURRIED(%rbx)
	je	.Lnot_hurried
	movl	$0, FRAME_SCRATCH(%rbx)
	leaq	FRAME_SCRATCH(%rbx), %rdx
	call	.Lcalm_down
.Lnot_hurried:
	movl	$2, %edi
	leaq	FRAME_MASK(%rbx), %rsi
	xorl	%edx, %edx
	movl	$8, %r10d
	movl	$SYS_rt_sigprocmask, %eax
	syscall
	leaq	FRAME_REGS(%rbx), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rbx
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%rbp
	popfq
	popq	%rsp
	ret	$128

/* The new thread: tells that it is there, makes room for the agent's code and waits.
 * rdi = the region, and in its lowest bit whether real-time priority was inherited. ebp
 * counts half milliseconds: after 50 ms it frees the borrowed thread, after two seconds
 * it gives up. */
stub_thread:
	endbr64
	pushq	%rbx
	pushq	%rbp
	subq	$24, %rsp
	movq	%rdi, %rbx
	andq	$-2, %rbx
	cmpq	%rdi, %rbx
	je	.Lcalm
	movq	$0, (%rsp)
	movq	%rsp, %rdx
	call	.Lcalm_down
.Lcalm:
	xorl	%ebp, %ebp
	call	.Ltick
	movl	$REGION_STATE_READY, REGION_STATE(%rbx)
	movq	.Limage_bytes(%rip), %rax
	movq	%rax, REGION_IMAGE_BYTES(%rbx)
	movq	.Ldata_offset(%rip), %rax
	movq	%rax, REGION_DATA_OFFSET(%rbx)
	movq	.Ldata_bytes(%rip), %rax
	movq	%rax, REGION_DATA_BYTES(%rbx)
	movl	$0x22, REGION_MAP_FLAGS(%rbx)
	jmp	.Lmap
.Lidle:
	movl	REGION_COMMAND(%rbx), %eax
	testl	%eax, %eax
	jne	.Lcommand
	movl	REGION_GO(%rbx), %eax
	testl	%eax, %eax
	jne	.Lgo
	leaq	REGION_GO(%rbx), %rdi
	call	.Lnap
	addl	%eax, %ebp
	cmpl	$100, %ebp
	jb	.Lnot_yet
	cmpl	$0, REGION_TAKE_BACK(%rbx)
	jne	.Lnot_yet
	movl	$1, REGION_TAKE_BACK(%rbx)
	leaq	REGION_TAKE_BACK(%rbx), %rdi
	movl	$FUTEX_WAKE_PRIVATE, %esi
	movl	$1, %edx
	movl	$SYS_futex, %eax
	syscall
.Lnot_yet:
	cmpl	$4000, %ebp
	jb	.Lidle
	call	.Lunmap_image
	movl	$REGION_STATE_FAILED, REGION_STATE(%rbx)
/* The borrowed thread may still look at the region when nobody has said that
 * it is out: then the region stays rather than a thread hangs. */
	cmpl	$0, REGION_TAKEN(%rbx)
	jne	.Lleave
	xorl	%eax, %eax
	addq	$24, %rsp
	popq	%rbp
	popq	%rbx
	ret
.Lleave:
	call	.Lclose_file
	call	.Lunmap_image
	movq	%rbx, %rdi
	movl	$REGION_BYTES, %esi
	addq	$24, %rsp
	popq	%rbp
	popq	%rbx
	jmp	*.Lunmap(%rip)

.Lgo:
	cmpl	$REGION_GO_RUN, %eax
	jne	.Lleave
	cmpq	$0, REGION_IMAGE(%rbx)
	je	.Lleave
	movq	REGION_ENTRY(%rbx), %rax
	movq	%rbx, %rdi
	addq	$24, %rsp
	popq	%rbp
	popq	%rbx
	jmp	*%rax

/* Waits half a millisecond while the word at rdi is 0, and goes on to tell in eax how
 * many of them have passed, one at least: on a busy machine a nap is long. The first naps
 * are short, for nobody can wake this thread and the code comes soon. The time-out
 * lies in the caller's frame, and the time of the last tick. */
.Lnap:
	movq	$0, 8(%rsp)
	movq	$500000, 16(%rsp)
	cmpl	$SHORT_TICKS, %ebp
	jae	.Llong
	movq	$SHORT_NAP_NS, 16(%rsp)
.Llong:
	leaq	8(%rsp), %r10
	movl	$FUTEX_WAIT_PRIVATE, %esi
	xorl	%edx, %edx
	movl	$SYS_futex, %eax
	syscall
.Ltick:
	movl	$1, %eax
	cmpq	$0, .Lclock_gettime(%rip)
	je	.Lone
	movl	$CLOCK_MONOTONIC, %edi
	leaq	8(%rsp), %rsi
	subq	$8, %rsp
	call	*.Lclock_gettime(%rip)
	addq	$8, %rsp
	imulq	$2000, 8(%rsp), %rcx
	movq	16(%rsp), %rax
	xorl	%edx, %edx
	movl	$500000, %esi
	divq	%rsi
	addq	%rcx, %rax
	movq	%rax, %rcx
	xchgq	24(%rsp), %rcx
	subq	%rcx, %rax
	movl	$1, %ecx
	cmpq	%rcx, %rax
	cmovbq	%rcx, %rax
	movl	$NAP_TICKS_MAX, %ecx
	cmpq	%rcx, %rax
	cmovaq	%rcx, %rax
.Lone:
	ret

/* sched_setscheduler(self, SCHED_OTHER, rdx): always permitted, nice stays. */
.Lcalm_down:
	xorl	%edi, %edi
	xorl	%esi, %esi
	movl	$SYS_setscheduler, %eax
	syscall
	ret

.Lclose_file:
	movl	REGION_FILE(%rbx), %edi
	decl	%edi
	js	.Lno_file
	movl	$0, REGION_FILE(%rbx)
	movl	$SYS_close, %eax
	syscall
.Lno_file:
	ret

/* 0 = it is not there. */
.Lunmap_image:
	movq	REGION_IMAGE(%rbx), %rdi
	testq	%rdi, %rdi
	jz	.Lno_file
	movq	$0, REGION_IMAGE(%rbx)
	movq	REGION_IMAGE_BYTES(%rbx), %rsi
	movl	$SYS_munmap, %eax
	syscall
	ret

.Lcommand:
	cmpl	$REGION_COMMAND_LEAVE, %eax
	je	.Lleave
	movl	$0, REGION_COMMAND(%rbx)
	xorl	%ebp, %ebp
	cmpl	$REGION_COMMAND_FILE, %eax
	je	.Lfile
.Lmap:
	xorl	%edi, %edi
	movq	REGION_IMAGE_BYTES(%rbx), %rsi
	movl	$5, %edx
	movl	REGION_MAP_FLAGS(%rbx), %r10d
	movl	REGION_FILE(%rbx), %r8d
	decl	%r8d
	movslq	%r8d, %r8
	xorl	%r9d, %r9d
	movl	$SYS_mmap, %eax
	syscall
	cmpq	$-4095, %rax
	jae	.Lno_image
	movq	%rax, REGION_IMAGE(%rbx)
	movq	%rax, %rdi
	addq	REGION_DATA_OFFSET(%rbx), %rdi
	movq	REGION_DATA_BYTES(%rbx), %rsi
	movl	$3, %edx
	movl	$0x32, %r10d
	movq	$-1, %r8
	movl	$SYS_mmap, %eax
	syscall
	cmpq	$-4095, %rax
	jae	.Lno_data
	call	.Lclose_file
	movl	$REGION_STATE_MAPPED, REGION_STATE(%rbx)
	jmp	.Lidle

/* heaptop fills the file before it asks for the room. */
.Lfile:
	leaq	REGION_FILE_NAME(%rbx), %rdi
	movl	REGION_FILE_FLAGS(%rbx), %esi
	movl	$SYS_memfd_create, %eax
	syscall
	testl	%eax, %eax
	js	.Lno_image
	incl	%eax
	movl	%eax, REGION_FILE(%rbx)
	movl	$REGION_STATE_FILE, REGION_STATE(%rbx)
	jmp	.Lidle

/* No room: tell the errno, and wait for another command. */
.Lno_data:
	negl	%eax
	movl	%eax, REGION_TROUBLE(%rbx)
	call	.Lunmap_image
	jmp	.Lno_room
.Lno_image:
	negl	%eax
	movl	%eax, REGION_TROUBLE(%rbx)
.Lno_room:
	movl	$REGION_STATE_FAILED, REGION_STATE(%rbx)
	jmp	.Lidle

/* The rest of a write that the stop has cut short: the thread comes here from the
 * kernel, which first restarts the call when no signal came. rsp: struct stub_rest,
 * below the red zone. */
	syscall
stub_rest:
	testq	%rax, %rax
	js	.Lno_more
	addq	%rax, (%rsp)
.Lno_more:
	popq	%rax
	popq	%rsi
	popq	%rdx
	ret	$128

	.balign	8
stub_table_begin:
.Lattr_init:
	.quad	0
.Lattr_setstacksize:
	.quad	0
.Lattr_setdetachstate:
	.quad	0
.Lcreate_thread:
	.quad	0
.Lunmap:
	.quad	0
.Lclock_gettime:
	.quad	0
.Limage_bytes:
	.quad	0
.Ldata_offset:
	.quad	0
.Ldata_bytes:
	.quad	0
stub_end:
	.size	stub_begin, stub_end - stub_begin
	.section .note.GNU-stack, "", @progbits
