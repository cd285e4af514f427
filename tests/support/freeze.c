/*
 * freeze.c - stops one thread of a process, as if it were stuck, and lets it go on again.
 *
 *   freeze PID THREAD    the thread's name, as the kernel keeps it
 *
 * Prints "frozen" once it stands still, and lets it go when its standard input ends. A signal
 * stops a whole process; ptrace(2) stops a thread.
 */
#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

static pid_t thread_of(const char *pid, const char *name)
{
    char path[320], text[64];
    const struct dirent *e;
    pid_t found = 0;
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%s/task", pid);
    tasks = opendir(path);
    CHECK(tasks != NULL);
    while (found == 0 && (e = readdir(tasks)) != NULL) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, e->d_name);
        f = fopen(path, "r");
        if (f == NULL)
            continue;
        if (fgets(text, sizeof(text), f) != NULL) {
            text[strcspn(text, "\n")] = '\0';
            if (strcmp(text, name) == 0)
                found = (pid_t)strtol(e->d_name, NULL, 10);
        }
        fclose(f);
    }
    closedir(tasks);
    return found;
}

int main(int argc, char **argv)
{
    pid_t tid;
    int status;
    char c;

    if (argc != 3)
        return 2;
    tid = thread_of(argv[1], argv[2]);
    if (tid == 0 || ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        perror("freeze");
        return 1;
    }
    CHECK(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0);
    CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status));
    puts("frozen");
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0 ? 0 : 1;
}
