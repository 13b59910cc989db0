/* The service behind every proxy: one thread, epoll, HTTP/1.1 keep-alive, pipelining, request bodies checked.
 * usage: backend PORT DEFAULT_BODY_BYTES     (prints "ready PORT" once it listens; PORT 0 picks a free one)
 *
 *   GET /anything          200, DEFAULT_BODY_BYTES of body: the x-bench-id of the request, then the pattern
 *   GET /anything?size=N   200, N bytes
 *   GET /echo...           200, the request head as it arrived: what a proxy did to it
 * A request body must be the pattern; otherwise the answer is 500. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http1.h"

#define READ_BYTES 262144

char *pattern;
static int poller;
static size_t default_bytes;

struct connection {
  int fd;
  int closing;
  struct reader reader;
  char id[ID_BYTES];
  size_t size;         /* of the answer to the request at hand */
  char *echo;          /* or its head, when that is the answer */
  size_t echo_bytes;
  char *out;           /* bytes the socket did not take */
  size_t out_at, out_bytes, out_room;
};

static void drop(struct connection *c) {
  close(c->fd);
  free(c->reader.carry);
  free(c->echo);
  free(c->out);
  free(c);
}

static void watch(struct connection *c, int writing) {
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static int keep(struct connection *c, const char *bytes, size_t length) {
  if (c->out_bytes + length > c->out_room) {
    c->out_room = c->out_bytes + length;
    c->out = realloc(c->out, c->out_room);
    if (!c->out) return -1;
  }
  memcpy(c->out + c->out_bytes, bytes, length);
  c->out_bytes += length;
  return 0;
}

static int flush(struct connection *c) {
  while (c->out_at < c->out_bytes) {
    ssize_t sent = send(c->fd, c->out + c->out_at, c->out_bytes - c->out_at, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return 0;
      return -1;
    }
    c->out_at += (size_t)sent;
  }
  free(c->out);
  c->out = NULL;
  c->out_at = c->out_bytes = c->out_room = 0;
  watch(c, 0);
  return 0;
}

static int answer(struct connection *c, const char *bytes, size_t length) {
  size_t sent = 0;
  if (c->out_bytes == 0) {
    ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return -1;
    if (n > 0) sent = (size_t)n;
  }
  if (sent == length) return 0;
  int was_empty = c->out_bytes == 0;
  if (keep(c, bytes + sent, length - sent) < 0) return -1;
  if (was_empty) watch(c, 1);
  return 0;
}

static size_t wanted_size(const struct head *head) {
  const char *feed_at = memchr(head->bytes, '\n', head->length);
  const char *found = memmem(head->bytes, (size_t)(feed_at - head->bytes), "?size=", 6);
  size_t size = found ? strtoul(found + 6, NULL, 10) : default_bytes;
  return size > PATTERN_BYTES ? PATTERN_BYTES : size;
}

static int on_head(void *owner, const struct head *head) {
  struct connection *c = owner;
  memcpy(c->id, head->id[0] ? head->id : "----------------", ID_BYTES);
  c->size = wanted_size(head);
  if (head->close) c->closing = 1;
  const char *path = memchr(head->bytes, ' ', head->length);
  if (path && head->length > 16 && strncmp(path + 1, "/echo", 5) == 0) {
    free(c->echo);
    c->echo = malloc(head->length);
    memcpy(c->echo, head->bytes, head->length);
    c->echo_bytes = head->length;
  }
  return 0;
}

static int on_end(void *owner) {
  struct connection *c = owner;
  static char message[512 + PATTERN_BYTES];
  int bad = c->reader.pattern_bad;
  size_t size = bad ? 0 : c->echo ? c->echo_bytes : c->size;
  int at = snprintf(message, 512,
                    "HTTP/1.1 %s\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n"
                    "Cache-Control: no-store\r\nContent-Length: %zu\r\n\r\n",
                    bad ? "500 Bad Body" : "200 OK", size);
  if (c->echo && !bad) memcpy(message + at, c->echo, size);
  else {
    memcpy(message + at, pattern, size);
    memcpy(message + at, c->id, size < ID_BYTES ? size : ID_BYTES);
  }
  free(c->echo);
  c->echo = NULL;
  return answer(c, message, (size_t)at + size);
}

static const struct sink sink = {on_head, on_end};

static void on_readable(struct connection *c) {
  static char buffer[READ_BYTES];
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0 || feed(&c->reader, &sink, c, NULL, buffer, (size_t)n, 0) < 0) {
    drop(c);
    return;
  }
  if (c->closing && c->reader.state == R_HEAD && c->out_bytes == 0) drop(c);
}

static void on_accept(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static int listen_on(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) {
    perror("backend: listen");
    exit(1);
  }
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: backend PORT BODY_BYTES\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  default_bytes = strtoul(argv[2], NULL, 10);
  make_pattern();
  poller = epoll_create1(0);
  int listener = listen_on(atoi(argv[1]));
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) on_accept(listener);
      else if ((events[i].events & EPOLLOUT) && flush(c) < 0) drop(c);
      else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
    }
  }
}
