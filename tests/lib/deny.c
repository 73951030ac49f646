/*
 * deny WHAT PROGRAM ARGS: runs the program, and what it starts, on a kernel that
 * refuses it something:
 *   ptrace  what Yama with ptrace_scope 3 refuses: ptrace, process_vm_*, pidfd_getfd,
 *           kcmp (by a seccomp filter) and opening /proc/PID/mem (by a supervisor that
 *           looks at the path)
 *   write   pwrite, so also writing through /proc/PID/mem
 *   code    anonymous memory that is executable, as SELinux without execmem
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSE(call)                                   \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

#define LOAD(member) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter no_ptrace[] = {
    LOAD(nr),
    REFUSE(SYS_ptrace),
    REFUSE(SYS_process_vm_readv),
    REFUSE(SYS_process_vm_writev),
    REFUSE(SYS_kcmp),
    REFUSE(438 /* pidfd_getfd */),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    ALLOW,
};

static struct sock_filter no_write[] = {
    LOAD(nr),
    REFUSE(SYS_pwrite64),
    ALLOW,
};

static struct sock_filter no_code[] = {
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
    LOAD(args[2]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 3),
    LOAD(args[3]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
    ALLOW,
};

static const struct denial {
    const char *name;
    struct sock_fprog program;
    bool has_supervisor;
} denials[] = {
    {"ptrace", {sizeof(no_ptrace) / sizeof(no_ptrace[0]), no_ptrace}, true},
    {"write", {sizeof(no_write) / sizeof(no_write[0]), no_write}, false},
    {"code", {sizeof(no_code) / sizeof(no_code[0]), no_code}, false},
};

static void send_fd(int socket, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    sendmsg(socket, &message, 0);
}

static int receive_fd(int socket)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fd = -1;

    if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

/* The path ends with "mem" as a whole name. */
static int is_memory(pid_t pid, unsigned long address)
{
    char path[256] = "";
    struct iovec local = {path, sizeof(path) - 1}, remote = {(void *)address, 1};
    const char *name;

    remote.iov_len = 4096 - address % 4096;
    if (remote.iov_len > local.iov_len)
        remote.iov_len = local.iov_len;
    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) <= 0)
        return 0;
    name = strrchr(path, '/');
    return !strcmp(name ? name + 1 : path, "mem");
}

static void supervise(int fd)
{
    struct seccomp_notif call;
    struct seccomp_notif_resp answer;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    while (poll(&poll_fd, 1, -1) > 0 && !(poll_fd.revents & POLLHUP)) {
        memset(&call, 0, sizeof(call));
        memset(&answer, 0, sizeof(answer));
        if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
            continue;
        answer.id = call.id;
        if (is_memory((pid_t)call.pid, call.data.args[1]))
            answer.error = -EACCES;
        else
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* Only what the supervisor must see goes through a child of ours. */
static int run_supervised(const struct denial *denial, char **command)
{
    int sockets[2], fd, status;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return 125;
    child = fork();
    if (child == 0) {
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER, &denial->program);
        if (fd < 0) {
            perror("deny: seccomp");
            _exit(125);
        }
        send_fd(sockets[1], fd);
        close(fd);
        execvp(command[0], command);
        _exit(127);
    }
    close(sockets[1]);
    fd = receive_fd(sockets[0]);
    if (fd >= 0)
        supervise(fd);
    if (waitpid(child, &status, 0) != child)
        return 125;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(denials) / sizeof(denials[0]); i++) {
        const struct denial *denial = &denials[i];

        if (strcmp(denial->name, argv[1]) != 0)
            continue;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (denial->has_supervisor)
            return run_supervised(denial, argv + 2);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &denial->program) != 0) {
            perror("deny: seccomp");
            return 125;
        }
        execvp(argv[2], argv + 2);
        return 127;
    }
    return 125;
}
