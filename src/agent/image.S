/* The built agent and its loader as bytes inside heaptop; see local.mk,
 * attach/agent_image.h and attach/loader_file.h. */
	.section .rodata.heaptop_agent, "a", @progbits
	.globl	agent_file_begin, agent_file_end
	.hidden	agent_file_begin, agent_file_end
	.balign	64
agent_file_begin:
	.incbin	"src/agent/heaptop-agent.so"
agent_file_end:
	.globl	loader_file_begin, loader_file_end
	.hidden	loader_file_begin, loader_file_end
	.balign	64
loader_file_begin:
	.incbin	"src/agent/heaptop-loader.so"
loader_file_end:
	.section .note.GNU-stack, "", @progbits
