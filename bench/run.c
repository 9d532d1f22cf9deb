/*
 * run - run a command once and say what it took.
 *
 *     run COMMAND [ARGUMENT...]     appends to descriptor 3: seconds user system peak-rss-KiB exit-status
 *
 * The command's standard output is thrown away, its standard error is kept. The figures go to descriptor 3, so they
 * never mix with what the command says: run sh -c '...' 3>figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIGURES = 3, CANNOT_RUN = 127 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void become(char **argv)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(CANNOT_RUN);
    close(null);
    close(FIGURES);
    execvp(argv[0], argv);
    fprintf(stderr, "run: cannot run \"%s\": %s\n", argv[0], strerror(errno));
    _exit(CANNOT_RUN);
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    if (argc < 2 || fcntl(FIGURES, F_GETFD) < 0) {
        fputs("usage: run COMMAND [ARGUMENT...] 3>FIGURES\n", stderr);
        return 2;
    }
    struct rusage used;
    int status;
    double began = now();
    pid_t child = fork();
    if (child == 0)
        become(argv + 1);
    while (child > 0 && wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            child = -1;
    if (child < 0) {
        fprintf(stderr, "run: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    double took = now() - began;
    dprintf(FIGURES, "%.4f %.4f %.4f %ld %d\n", took, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss,
            exit_status(status));
    return EXIT_SUCCESS;
}
