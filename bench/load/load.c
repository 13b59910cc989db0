/* The load generator: one thread, epoll, HTTP/1.1 keep-alive. It checks status, length and every byte of every answer;
 * what it cannot accept counts as an error, and an error voids the round.
 *
 * usage: load MODE PORT CONNECTIONS SECONDS RATE BODY_BYTES ANSWER_BYTES REQUESTS_FILE
 *   closed   each connection sends its next request when the answer to the last one is complete
 *   rate     RATE requests a second over the free connections, on schedule; time counts from the scheduled moment
 *   hold     one request on each connection, at most RATE at a time; prints a line; for each line on stdin that says
 *            "again" one more request on each; ends on any other line
 * REQUESTS_FILE holds heads to use in turn, each: its length as 4 bytes little endian, then its bytes with 16 '#' where
 * the id goes. With BODY_BYTES the head must announce them; the pattern is sent. Results are JSON lines on stdout. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "client.h"

static void report(const char *phase, double elapsed) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
               ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) / 1e6;
  printf("{\"phase\":\"%s\",\"answered\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"reconnects\":%llu,"
         "\"lateStarts\":%llu,\"errors\":%llu",
         phase, (unsigned long long)answered, elapsed, cpu, (unsigned long long)reconnects,
         (unsigned long long)late_starts, (unsigned long long)troubles());
  for (int i = 0; i < T_KINDS; i++)
    printf(",\"%s\":%llu", trouble_names[i], (unsigned long long)trouble[i]);
  printf(",\"firstError\":\"%s\",\"meanUs\":%.3f,\"p50Us\":%.3f,\"p90Us\":%.3f,\"p99Us\":%.3f,\"maxUs\":%.3f}\n",
         first_trouble, latencies.count ? latencies.sum / 1e3 / (double)latencies.count : 0,
         quantile(&latencies, 0.5) / 1e3, quantile(&latencies, 0.9) / 1e3, quantile(&latencies, 0.99) / 1e3,
         latencies.max / 1e3);
  fflush(stdout);
}

/* Lets what is in flight finish; whoever does not is stalled. */
static void settle(void) {
  stopping = 1;
  uint64_t deadline = now_ns() + STALL_SECONDS * 1000000000ull;
  while (in_flight && now_ns() < deadline) turn(20, -1);
  for (int i = 0; i < connection_count; i++)
    if (connections[i].fd >= 0 && connections[i].waiting) note(T_STALLED, &connections[i], 0);
}

static void run_closed(void) {
  for (int i = 0; i < connection_count; i++) dial(&connections[i]);
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
  while (now_ns() < end && troubles() < 1000) turn(20, -1);
  double elapsed = (double)(now_ns() - start) / 1e9;
  settle();
  report("closed", elapsed);
}

static void run_rate(void) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
  for (int i = 0; i < connection_count; i++) dial(&connections[i]);
  uint64_t deadline = now_ns() + STALL_SECONDS * 1000000000ull;
  while (idle_count < (size_t)connection_count && now_ns() < deadline && !troubles()) turn(20, -1);
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), due = start, step = (uint64_t)(1e9 / rate);
  size_t hand = 0;
  while (now_ns() < end && troubles() < 1000) {
    while (due <= now_ns() && idle_count > 0) {
      /* from anywhere in the stack, so that every connection takes its share */
      hand = (hand + 1) % idle_count;
      struct connection *c = idle[hand];
      idle[hand] = idle[--idle_count];
      if (now_ns() - due > 1000000) late_starts++;
      begin(c, due);
      due += step;
    }
    struct itimerspec when = {.it_value = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    turn(20, timer);
  }
  double elapsed = (double)(now_ns() - start) / 1e9;
  settle();
  report("rate", elapsed);
}

/* One request on every connection (dialled if `fresh`), at most `rate` in flight. */
static void sweep(int fresh) {
  int at = 0, window = rate < 1 ? 64 : (int)rate;
  uint64_t started = now_ns(), progress = started, seen = answered;
  idle_count = 0;
  while (at < connection_count || in_flight) {
    while (at < connection_count && in_flight < (uint64_t)window && (int)(at - (int)idle_count) < window) {
      struct connection *c = &connections[at++];
      if (fresh) dial(c);
      else if (c->fd >= 0) begin(c, now_ns());
      if (c->fd < 0) push_idle(c);
    }
    turn(20, -1);
    if (answered != seen) {
      seen = answered;
      progress = now_ns();
    }
    if (now_ns() - progress > STALL_SECONDS * 1000000000ull) {
      settle();
      break;
    }
    if (at == connection_count && idle_count == (size_t)connection_count) break;
  }
}

static void run_hold(void) {
  uint64_t start = now_ns();
  sweep(1);
  report("held", (double)(now_ns() - start) / 1e9);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  for (;;) {
    struct epoll_event events[64];
    int count = epoll_wait(poller, events, 64, -1), spoken = 0;
    for (int i = 0; i < count; i++) {
      if (!events[i].data.ptr) spoken = 1;
      else on_readable(events[i].data.ptr); /* a proxy that hangs up on an idle connection */
    }
    if (!spoken) continue;
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n < 5 || strncmp(line, "again", 5) != 0) return;
    epoll_ctl(poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    answered = 0;
    memset(&latencies, 0, sizeof latencies);
    start = now_ns();
    sweep(0);
    report("again", (double)(now_ns() - start) / 1e9);
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  }
}

static int read_requests(const char *path) {
  FILE *file = fopen(path, "rb");
  unsigned char size[4];
  if (!file) return -1;
  while (fread(size, 1, 4, file) == 4) {
    size_t length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    requests = realloc(requests, (request_count + 1) * sizeof *requests);
    struct request *request = &requests[request_count++];
    request->bytes = malloc(length);
    request->length = length;
    if (fread(request->bytes, 1, length, file) != length) return -1;
    char *mark = memmem(request->bytes, length, "################", ID_BYTES);
    if (!mark) return -1;
    request->id_at = (size_t)(mark - request->bytes);
  }
  fclose(file);
  return request_count ? 0 : -1;
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: load MODE PORT CONNECTIONS SECONDS RATE BODY_BYTES ANSWER_BYTES REQUESTS_FILE\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_TIMERSLACK, 1UL);
  mode = strcmp(argv[1], "rate") == 0 ? RATE : strcmp(argv[1], "hold") == 0 ? HOLD : CLOSED;
  port = atoi(argv[2]);
  connection_count = atoi(argv[3]);
  seconds = atof(argv[4]);
  rate = atof(argv[5]);
  body_bytes = atoi(argv[6]);
  answer_bytes = atoi(argv[7]);
  if (read_requests(argv[8]) < 0 || connection_count < 1 || (size_t)body_bytes > PATTERN_BYTES) {
    fprintf(stderr, "load: %s has no usable request, or a number is out of range\n", argv[8]);
    return 2;
  }
  make_pattern();
  poller = epoll_create1(0);
  connections = calloc((size_t)connection_count, sizeof *connections);
  idle = calloc((size_t)connection_count, sizeof *idle);
  for (int i = 0; i < connection_count; i++) {
    connections[i].index = i;
    connections[i].fd = -1;
    connections[i].next = (size_t)i * 7 % request_count;
  }
  if (mode == CLOSED) run_closed();
  else if (mode == RATE) run_rate();
  else run_hold();
  return troubles() ? 1 : 0;
}
