/* The built agent as bytes inside heaptop; see local.mk and attach/agent_image.h. */
	.section .rodata.heaptop_agent, "a", @progbits
	.globl	agent_file_begin, agent_file_end
	.hidden	agent_file_begin, agent_file_end
	.balign	64
agent_file_begin:
	.incbin	"src/agent/heaptop-agent.so"
agent_file_end:
	.section .note.GNU-stack, "", @progbits
