/*
 * handover.c - listens for a program and hands it the sockets, as systemd does.
 *
 *   handover NAME... -- PROGRAM [ARGUMENT]...
 *
 * Prints "NAME ADDRESS" for each socket and keeps them. SIGUSR1: has the program end and starts
 * another one. SIGTERM: has it end, and ends with its status.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

#define FIRST_FD 3

static volatile sig_atomic_t told; /* the last signal */
static volatile sig_atomic_t child;

static void on_signal(int signo)
{
    told = signo;
    if (child > 0)
        kill((pid_t)child, SIGTERM);
}

/* As the descriptor wanted. */
static void open_socket(int fd, const char *name)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    int s = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(s >= 0 && bind(s, (const struct sockaddr *)&in, len) == 0 && listen(s, 512) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&in, &len) == 0);
    if (s != fd) {
        CHECK(dup2(s, fd) == fd);
        close(s);
    }
    printf("%s 127.0.0.1:%u\n", name, ntohs(in.sin_port));
}

static pid_t start(char **command, int n, const char *names)
{
    char text[32];
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    snprintf(text, sizeof(text), "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof(text), "%d", n);
    setenv("LISTEN_FDS", text, 1);
    setenv("LISTEN_FDNAMES", names, 1);
    execv(command[0], command);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct buf names = {0};
    int n = 0, status;

    while (n + 1 < argc && strcmp(argv[n + 1], "--") != 0) {
        open_socket(FIRST_FD + n, argv[n + 1]);
        buf_printf(&names, n > 0 ? ":%s" : "%s", argv[n + 1]);
        n++;
    }
    if (n == 0 || n + 2 >= argc)
        return 2;
    fflush(stdout);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    do {
        told = 0;
        child = start(argv + n + 2, n, buf_cstr(&names));
        while (waitpid((pid_t)child, &status, 0) < 0 && errno == EINTR)
            continue;
        child = 0;
    } while (told == SIGUSR1 && status == 0);
    buf_fini(&names);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
