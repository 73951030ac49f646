/*
 * deny_ptrace PROGRAM ARGS: runs the program on a kernel that refuses it what Yama
 * with ptrace_scope 3 refuses: ptrace, process_vm_*, pidfd_getfd, kcmp (by a seccomp
 * filter) and opening /proc/PID/mem (by a supervisor that looks at the path). What it
 * starts is refused the same.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <poll.h>

#define REFUSE(call)                                   \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    REFUSE(SYS_ptrace),
    REFUSE(SYS_process_vm_readv),
    REFUSE(SYS_process_vm_writev),
    REFUSE(SYS_kcmp),
    REFUSE(438 /* pidfd_getfd */),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
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

int main(int argc, char **argv)
{
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    int sockets[2], fd, status;
    pid_t child;

    if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return 125;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
        if (fd < 0) {
            perror("deny_ptrace");
            _exit(125);
        }
        send_fd(sockets[1], fd);
        close(fd);
        execvp(argv[1], argv + 1);
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
