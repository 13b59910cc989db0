/* The load generator's connections: dial, send, read, check, count. Included once, by load.c. */
#ifndef HEDDLE_BENCH_CLIENT_H
#define HEDDLE_BENCH_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "http1.h"

#define READ_BYTES 262144
#define STALL_SECONDS 5

enum mode { CLOSED, RATE, HOLD };
enum trouble { T_CONNECT, T_CLOSED, T_STATUS, T_LENGTH, T_BODY, T_FRAMING, T_STALLED, T_KINDS };
static const char *const trouble_names[T_KINDS] = {"connect", "closed", "status", "length", "body", "framing", "stalled"};

char *pattern;
static enum mode mode;
static int port, connection_count, body_bytes, answer_bytes, poller;
static double seconds, rate;

struct request {
  char *bytes;
  size_t length, id_at;
};
static struct request *requests;
static size_t request_count;

struct connection {
  int fd, connecting, waiting, writing, closing, index;
  unsigned generation; /* counts up when the socket is given up */
  size_t next;         /* which request head */
  uint64_t begun;      /* ns: sent, or scheduled */
  size_t sent, total;  /* of the request at hand */
  struct reader reader;
  int status;
  int64_t announced;
  char id[ID_BYTES + 1];
};
static struct connection *connections;
static struct connection **idle; /* a stack of connections with nothing in flight */
static size_t idle_count;

static uint64_t serial, answered, sent_requests, in_flight, reconnects, late_starts;
static uint64_t trouble[T_KINDS];
static char first_trouble[160];
static int stopping;
static struct histogram latencies;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(enum trouble kind, struct connection *c, int detail) {
  if (!first_trouble[0])
    snprintf(first_trouble, sizeof first_trouble, "%s (%d) on connection %d after %llu answers", trouble_names[kind],
             detail, c->index, (unsigned long long)answered);
  trouble[kind]++;
}

static uint64_t troubles(void) {
  uint64_t sum = 0;
  for (int i = 0; i < T_KINDS; i++) sum += trouble[i];
  return sum;
}

static void watch(struct connection *c, int operation, int writing) {
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
  c->writing = writing;
  epoll_ctl(poller, operation, c->fd, &event);
}

static void push_idle(struct connection *c) { idle[idle_count++] = c; }

static void forget(struct connection *c) {
  if (c->fd < 0) return;
  /* a reset, so that thousands of local ports are free again at once */
  struct linger linger = {1, 0};
  if (mode == HOLD) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(c->fd);
  c->fd = -1;
  c->generation++;
  free(c->reader.carry);
  memset(&c->reader, 0, sizeof c->reader);
  if (c->waiting) {
    c->waiting = 0;
    in_flight--;
  }
}

static void dial(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->connecting = 1;
  c->closing = 0;
  if (c->fd < 0 || (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)) {
    note(T_CONNECT, c, errno);
    forget(c);
    return;
  }
  watch(c, EPOLL_CTL_ADD, 1);
}

static int push_bytes(struct connection *c) {
  struct request *request = &requests[c->next];
  memcpy(request->bytes + request->id_at, c->id, ID_BYTES); /* heads are shared */
  while (c->sent < c->total) {
    struct iovec parts[2];
    int count = 0;
    size_t body_at = c->sent > request->length ? c->sent - request->length : 0;
    if (c->sent < request->length)
      parts[count++] = (struct iovec){request->bytes + c->sent, request->length - c->sent};
    if (body_bytes) parts[count++] = (struct iovec){pattern + body_at, (size_t)body_bytes - body_at};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return -1;
      if (!c->writing) watch(c, EPOLL_CTL_MOD, 1);
      return 0;
    }
    c->sent += (size_t)n;
  }
  if (c->writing) watch(c, EPOLL_CTL_MOD, 0);
  return 0;
}

static void begin(struct connection *c, uint64_t when) {
  c->next = (c->next + 1) % request_count;
  struct request *request = &requests[c->next];
  snprintf(c->id, sizeof c->id, "%016llx", (unsigned long long)++serial);
  c->begun = when;
  c->sent = 0;
  c->total = request->length + (size_t)body_bytes;
  c->waiting = 1;
  in_flight++;
  sent_requests++;
  if (push_bytes(c) < 0) {
    note(T_CLOSED, c, errno);
    forget(c);
  }
}

static int on_head(void *owner, const struct head *head) {
  struct connection *c = owner;
  c->status = head->status;
  c->announced = head->content_length;
  if (head->close) c->closing = 1;
  return c->waiting ? 0 : -1;
}

static int on_end(void *owner) {
  struct connection *c = owner;
  uint64_t now = now_ns();
  c->waiting = 0;
  in_flight--;
  if (c->status != 200) note(T_STATUS, c, c->status);
  else if (c->reader.body_bytes != (uint64_t)answer_bytes) note(T_LENGTH, c, (int)c->reader.body_bytes);
  else if (c->reader.pattern_bad) note(T_BODY, c, c->status);
  else {
    answered++;
    record(&latencies, now - c->begun);
  }
  if (c->closing) {
    reconnects++;
    forget(c);
    if (!stopping) dial(c);
    return -1; /* this socket is not to be read on */
  }
  if (mode == CLOSED && !stopping) begin(c, now);
  else push_idle(c);
  return c->fd < 0 ? -1 : 0;
}

static const struct sink sink = {on_head, on_end};

static void on_connected(struct connection *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    note(T_CONNECT, c, error);
    forget(c);
    return;
  }
  c->connecting = 0;
  watch(c, EPOLL_CTL_MOD, 0);
  if (mode == RATE) push_idle(c);
  else begin(c, now_ns());
}

static void on_readable(struct connection *c) {
  static char buffer[READ_BYTES];
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n > 0) {
    unsigned was = c->generation;
    if (feed(&c->reader, &sink, c, c->id, buffer, (size_t)n, 1) == 0) return;
    if (c->generation != was) return; /* closed, or dialled anew, on purpose */
    note(T_FRAMING, c, c->status);
  } else if (c->waiting) note(T_CLOSED, c, n < 0 ? errno : 0);
  else if (mode == HOLD && !stopping) note(T_CLOSED, c, -1);
  int was_idle = !c->waiting && !c->connecting;
  for (size_t i = 0; was_idle && i < idle_count; i++)
    if (idle[i] == c) idle[i] = idle[--idle_count];
  forget(c);
  if (!stopping && mode != HOLD) {
    reconnects++;
    dial(c);
  }
}

/* Serves what is ready; waits at most `wait_ms`. Returns events seen. `timer` is an fd that only wakes. */
static int turn(int wait_ms, int timer) {
  static struct epoll_event events[512];
  int count = epoll_wait(poller, events, 512, wait_ms);
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (!c) {
      uint64_t expirations;
      if (timer >= 0 && read(timer, &expirations, sizeof expirations) < 0) continue;
      continue;
    }
    if (c->fd < 0) continue;
    if (c->connecting) {
      on_connected(c);
      continue;
    }
    if ((events[i].events & EPOLLOUT) && c->waiting && push_bytes(c) < 0) {
      note(T_CLOSED, c, errno);
      forget(c);
      continue;
    }
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
  }
  return count;
}

#endif
