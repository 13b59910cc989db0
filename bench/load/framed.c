/* Load generator and backend for framed RPC protocols (Bolt v1, Dubbo 2): one thread, epoll. Each connection keeps
 * WINDOW requests in flight; id and length of every answer are checked, and an error voids the round.
 *
 * usage: framed backend PROTOCOL ANSWER_FILE                      prints "ready PORT"; answers each request frame
 *        framed load PROTOCOL PORT CONNECTIONS WINDOW SECONDS REQUESTS_FILE ANSWER_BYTES
 * PROTOCOL is bolt or dubbo. ANSWER_FILE is one response frame, REQUESTS_FILE request frames to send in turn, each with
 * its length as 4 bytes little endian before it. The load's result is a JSON line on stdout. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

#define READ_BYTES (1 << 20)
#define STALL_SECONDS 5

static int is_dubbo;

static uint32_t u32(const unsigned char *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint32_t u16(const unsigned char *p) { return (uint32_t)p[0] << 8 | p[1]; }
static void put32(unsigned char *p, uint32_t v) { p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v; }

/* Size of the frame at p of which n bytes are here; 0 when more are needed, -1 when it is none. */
static long frame_size(const unsigned char *p, size_t n) {
  if (is_dubbo) {
    if (n < 16) return 0;
    return p[0] != 0xda || p[1] != 0xbb ? -1 : 16 + (long)u32(p + 12);
  }
  size_t fixed = n > 1 && p[1] == 0 ? 20 : 22;
  if (n < fixed) return 0;
  if (p[0] != 1) return -1;
  const unsigned char *lengths = p + fixed - 8;
  return (long)(fixed + u16(lengths) + u16(lengths + 2) + u32(lengths + 4));
}
static size_t id_at(void) { return is_dubbo ? 4 : 5; }

struct connection {
  int fd, watching;
  unsigned char *in;
  size_t in_bytes;
  unsigned char *out;
  size_t out_at, out_bytes, out_room;
  uint32_t *ids;        /* what each place of the window waits for, 0 = nothing */
  uint64_t *since;
  uint32_t sent, waiting;
};

static int poller;
static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned char *room(struct connection *c, size_t n) {
  if (c->out_bytes + n > c->out_room) {
    c->out_room = (c->out_bytes + n) * 2;
    c->out = realloc(c->out, c->out_room);
  }
  unsigned char *at = c->out + c->out_bytes;
  c->out_bytes += n;
  return at;
}

static int drain(struct connection *c) {
  while (c->out_at < c->out_bytes) {
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_bytes - c->out_at, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return -1;
      break;
    }
    c->out_at += (size_t)n;
  }
  if (c->out_at == c->out_bytes) c->out_at = c->out_bytes = 0;
  int want = c->out_bytes > 0;
  if (want != c->watching) {
    struct epoll_event event = {.events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->watching = want;
  }
  return 0;
}

static struct connection *adopt(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct connection *c = calloc(1, sizeof *c);
  c->fd = fd;
  c->in = malloc(READ_BYTES);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  return c;
}

static void drop(struct connection *c) {
  close(c->fd);
  free(c->in);
  free(c->out);
  free(c);
}

/* Reads what is there and gives each whole frame to `handle`. -1: the connection is over. */
static int pump(struct connection *c, int (*handle)(struct connection *, unsigned char *, size_t)) {
  ssize_t n = recv(c->fd, c->in + c->in_bytes, READ_BYTES - c->in_bytes, MSG_DONTWAIT);
  if (n == 0) return -1;
  if (n < 0) return errno == EAGAIN ? 0 : -1;
  c->in_bytes += (size_t)n;
  size_t at = 0;
  while (at < c->in_bytes) {
    long size = frame_size(c->in + at, c->in_bytes - at);
    if (size < 0) return -1;
    if (size == 0 || at + (size_t)size > c->in_bytes) break;
    if (handle(c, c->in + at, (size_t)size) < 0) return -1;
    at += (size_t)size;
  }
  memmove(c->in, c->in + at, c->in_bytes - at);
  c->in_bytes -= at;
  return 0;
}

static unsigned char *read_file(const char *name, size_t *size) {
  FILE *file = fopen(name, "rb");
  if (!file) {
    perror(name);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*size + 1);
  if (fread(bytes, 1, *size, file) != *size) exit(2);
  fclose(file);
  return bytes;
}

/* ---- backend ---------------------------------------------------------------------------------------------------- */

static unsigned char *answer;
static size_t answer_size;

static int reply(struct connection *c, unsigned char *frame, size_t size) {
  (void)size;
  int heartbeat = is_dubbo ? frame[2] & 0x20 : u16(frame + 2) == 0;
  if (heartbeat) {
    unsigned char *out = room(c, is_dubbo ? 17 : 20);
    if (is_dubbo) {
      memcpy(out, "\xda\xbb\x22\x14", 4), memcpy(out + 4, frame + 4, 8), put32(out + 12, 1), out[16] = 'N';
    } else {
      memset(out, 0, 20), out[0] = 1, out[4] = 1, memcpy(out + 5, frame + 5, 4), out[9] = frame[9];
    }
    return 0;
  }
  unsigned char *out = room(c, answer_size);
  memcpy(out, answer, answer_size);
  if (is_dubbo) memcpy(out + 4, frame + 4, 8);
  else memcpy(out + 5, frame + 5, 4);
  return 0;
}

static int serve(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1024) < 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int n = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd >= 0) adopt(fd);
        continue;
      }
      if (pump(c, reply) < 0 || drain(c) < 0) drop(c);
    }
  }
}

/* ---- load ------------------------------------------------------------------------------------------------------- */

static unsigned char **requests;
static size_t *request_sizes, request_count, next_request;
static size_t expected_bytes;
static uint32_t window;
static uint64_t answered, errors, in_flight;
static char first_error[128];
static struct histogram latencies;
static int stopping;

static void fail(const char *what, long a, long b) {
  if (errors++ == 0) snprintf(first_error, sizeof first_error, "%s %ld, expected %ld", what, a, b);
}

static void ask(struct connection *c, uint32_t place) {
  size_t which = next_request++ % request_count;
  unsigned char *out = room(c, request_sizes[which]);
  memcpy(out, requests[which], request_sizes[which]);
  uint32_t id = ++c->sent * window + place;
  if (is_dubbo) put32(out + id_at(), 0), put32(out + id_at() + 4, id);
  else put32(out + id_at(), id);
  c->ids[place] = id;
  c->since[place] = now_ns();
  c->waiting++;
  in_flight++;
}

static int check(struct connection *c, unsigned char *frame, size_t size) {
  uint32_t id = u32(frame + id_at() + (is_dubbo ? 4 : 0)), place = id % window;
  int status = is_dubbo ? frame[3] - 20 : (int)u16(frame + 10);
  if (c->ids[place] != id || id == 0) fail("an answer with id", id, c->ids[place]);
  else if (size != expected_bytes) fail("an answer of bytes", (long)size, (long)expected_bytes);
  else if (status != 0) fail("an answer of status", status, 0);
  else {
    answered++;
    record(&latencies, now_ns() - c->since[place]);
  }
  c->ids[place] = 0;
  c->waiting--;
  in_flight--;
  if (!stopping) ask(c, place);
  return errors > 100 ? -1 : 0;
}

static void turn(void) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, 20);
  for (int i = 0; i < n; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->fd < 0) continue;
    if (pump(c, check) < 0 || drain(c) < 0) {
      fail("a connection closed with requests in flight:", c->waiting, 0);
      in_flight -= c->waiting;
      close(c->fd);
      c->fd = -1;
    }
  }
}

static int load(int port, int connections, double seconds) {
  for (int i = 0; i < connections; i++) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
      fail("connect failed with errno", errno, 0);
      close(fd);
      continue;
    }
    struct connection *c = adopt(fd);
    c->ids = calloc(window, sizeof *c->ids);
    c->since = calloc(window, sizeof *c->since);
    for (uint32_t place = 0; place < window; place++) ask(c, place);
    drain(c);
  }
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
  while (now_ns() < end && errors < 100) turn();
  double elapsed = (double)(now_ns() - start) / 1e9;
  uint64_t counted = answered;
  stopping = 1;
  uint64_t deadline = now_ns() + STALL_SECONDS * 1000000000ull;
  while (in_flight && now_ns() < deadline) turn();
  if (in_flight) fail("requests without an answer:", (long)in_flight, 0);
  (void)counted;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"answered\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"reconnects\":0,\"lateStarts\":0,\"errors\":%llu,"
         "\"firstError\":\"%s\",\"meanUs\":%.3f,\"p50Us\":%.3f,\"p90Us\":%.3f,\"p99Us\":%.3f,\"maxUs\":%.3f}\n",
         (unsigned long long)answered, elapsed, cpu, (unsigned long long)errors, first_error,
         latencies.count ? latencies.sum / 1e3 / (double)latencies.count : 0, quantile(&latencies, 0.5) / 1e3,
         quantile(&latencies, 0.9) / 1e3, quantile(&latencies, 0.99) / 1e3, latencies.max / 1e3);
  return 0;
}

static void read_requests(const char *name) {
  size_t size;
  unsigned char *bytes = read_file(name, &size);
  for (size_t at = 0; at + 4 <= size;) {
    uint32_t length;
    memcpy(&length, bytes + at, 4);
    requests = realloc(requests, (request_count + 1) * sizeof *requests);
    request_sizes = realloc(request_sizes, (request_count + 1) * sizeof *request_sizes);
    requests[request_count] = bytes + at + 4;
    request_sizes[request_count++] = length;
    at += 4 + length;
  }
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  if (argc < 4) return fprintf(stderr, "usage: framed backend|load PROTOCOL ...\n"), 2;
  is_dubbo = strcmp(argv[2], "dubbo") == 0;
  poller = epoll_create1(0);
  if (strcmp(argv[1], "backend") == 0) {
    answer = read_file(argv[3], &answer_size);
    return serve();
  }
  if (argc != 9) return 2;
  window = (uint32_t)atoi(argv[5]);
  read_requests(argv[7]);
  expected_bytes = (size_t)atol(argv[8]);
  return load(atoi(argv[3]), atoi(argv[4]), atof(argv[6]));
}
