/* Starts a program pinned to one core, with as many file descriptors as allowed, that ends when the harness ends.
 * usage: launch CORE|- PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: launch CORE|- PROGRAM ARGUMENT...\n");
    return 2;
  }
  if (strcmp(argv[1], "-") != 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(atoi(argv[1]), &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) < 0) {
      perror("launch: sched_setaffinity");
      return 2;
    }
  }
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  pid_t harness = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != harness) return 1;
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
