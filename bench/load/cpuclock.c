/* Prints the CPU nanoseconds of each process, all its threads, the ended ones included: finer than the ticks of /proc.
 * usage: cpuclock PID...      one line a process: PID NANOSECONDS; a process that is gone has no line */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(atoi(argv[i]), &clock) != 0 || clock_gettime(clock, &t) != 0) continue;
    printf("%s %lld%09ld\n", argv[i], (long long)t.tv_sec, t.tv_nsec);
  }
  return 0;
}
