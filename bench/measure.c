/*
 * measure <file> <command> [arguments]: runs the command and writes what the kernel says of it, as JSON, to the file.
 * CPU and peak memory are the command's own, its ended children included (wait4).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int count, char **arguments) {
  if (count < 3) return 2;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  pid_t child = fork();
  if (child < 0) return 2;
  if (child == 0) {
    /* The bench ends this program if the command hangs. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(arguments[2], arguments + 2);
    perror(arguments[2]);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (wait4(child, &status, 0, &used) != child) return 2;
  clock_gettime(CLOCK_MONOTONIC, &end);
  FILE *file = fopen(arguments[1], "w");
  if (file == NULL) return 2;
  double wall = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
  fprintf(file, "{\"exitCode\":%d,\"wallS\":%.3f,\"userS\":%.3f,\"systemS\":%.3f,\"peakRssKiB\":%ld}\n",
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall, seconds(used.ru_utime),
          seconds(used.ru_stime), used.ru_maxrss);
  return fclose(file) == 0 ? 0 : 2;
}
