/* An incremental HTTP/1.1 message reader, shared by the load generator and the backend. It trusts its peer's framing
 * only as far as it checks it: whatever it cannot read is reported as an error, which voids the round. */
#ifndef HEDDLE_BENCH_HTTP1_H
#define HEDDLE_BENCH_HTTP1_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX 32768
#define PATTERN_BYTES (4u << 20)
#define ID_BYTES 16

enum reader_state { R_HEAD, R_LENGTH, R_CHUNK_SIZE, R_CHUNK_EXTENSION, R_CHUNK_DATA, R_CHUNK_END, R_TRAILER };

struct reader {
  enum reader_state state;
  uint64_t remaining;  /* of the body or of the chunk */
  uint64_t body_bytes; /* seen so far in this message */
  int line_bytes;      /* of the trailer line */
  int pattern_bad;     /* a body byte was not the expected one */
  char *carry;         /* a head cut by the end of a read */
  size_t carry_bytes;
};

/* The head of the message at hand; `bytes` is not kept past the callback. */
struct head {
  const char *bytes;
  size_t length;
  int status;          /* of a response, 0 for a request */
  int64_t content_length; /* -1: none */
  int chunked;
  int close;
  char id[ID_BYTES];   /* x-bench-id of a request */
};

extern char *pattern; /* PATTERN_BYTES of expected body */

static inline void make_pattern(void) {
  pattern = malloc(PATTERN_BYTES);
  for (size_t i = 0; i < PATTERN_BYTES; i++) pattern[i] = (char)('a' + (i * 7 + (i >> 8)) % 26);
}

static inline int name_is(const char *line, size_t length, const char *name, size_t name_bytes) {
  return length > name_bytes && line[name_bytes] == ':' && strncasecmp(line, name, name_bytes) == 0;
}

/* Reads what framing needs. Returns 0, or -1 for a head it does not understand. */
static inline int parse_head(const char *bytes, size_t length, struct head *head) {
  memset(head, 0, sizeof *head);
  head->bytes = bytes;
  head->length = length;
  head->content_length = -1;
  const char *end = bytes + length;
  const char *line = bytes;
  if (length > 12 && memcmp(bytes, "HTTP/1.", 7) == 0) head->status = atoi(bytes + 9);
  for (;;) {
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    if (!feed) return -1;
    size_t bytes_in_line = (size_t)(feed - line);
    if (bytes_in_line <= 1) return 0;
    switch (line[0] | 0x20) {
      case 'c':
        if (name_is(line, bytes_in_line, "content-length", 14)) head->content_length = atoll(line + 15);
        else if (name_is(line, bytes_in_line, "connection", 10)) {
          const char *value = line + 11;
          while (*value == ' ') value++;
          if (strncasecmp(value, "close", 5) == 0) head->close = 1;
        }
        break;
      case 't':
        if (name_is(line, bytes_in_line, "transfer-encoding", 17)) head->chunked = 1;
        break;
      case 'x':
        if (name_is(line, bytes_in_line, "x-bench-id", 10)) {
          const char *value = line + 11;
          while (*value == ' ') value++;
          if (feed - value < ID_BYTES) return -1;
          memcpy(head->id, value, ID_BYTES);
        }
        break;
    }
    line = feed + 1;
  }
}

/* Compares a piece of body with the pattern; the first ID_BYTES are the sender's business (`id`, or none). */
static inline void check_body(struct reader *reader, const char *id, const char *bytes, size_t length) {
  uint64_t at = reader->body_bytes;
  reader->body_bytes += length;
  if (id && at < ID_BYTES) {
    size_t part = ID_BYTES - at < length ? ID_BYTES - at : length;
    if (memcmp(bytes, id + at, part) != 0) reader->pattern_bad = 1;
    at += part;
    bytes += part;
    length -= part;
  }
  if (length == 0) return;
  if (at + length > PATTERN_BYTES || memcmp(bytes, pattern + at, length) != 0) reader->pattern_bad = 1;
}

/* What the owner does with the parts. `on_head` returns -1 to give up; `id` is what a body starts with, or NULL. */
struct sink {
  int (*on_head)(void *owner, const struct head *head);
  int (*on_end)(void *owner);
};

static inline int begin_body(struct reader *reader, const struct head *head, int is_response) {
  reader->body_bytes = 0;
  reader->pattern_bad = 0;
  reader->line_bytes = 0;
  if (head->chunked) {
    reader->state = R_CHUNK_SIZE;
    reader->remaining = 0;
    return 0;
  }
  if (head->content_length < 0 && is_response) return -1; /* a body until close: no peer may answer so here */
  reader->remaining = head->content_length < 0 ? 0 : (uint64_t)head->content_length;
  reader->state = reader->remaining ? R_LENGTH : R_HEAD;
  return 0;
}

static inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') return (c | 0x20) - 'a' + 10;
  return -1;
}

/* Eats bytes of a body. Returns how many it took, or -1; sets *ended when the message is complete. */
static inline int64_t read_body(struct reader *reader, const char *id, const char *bytes, size_t length, int *ended) {
  const char *at = bytes, *end = bytes + length;
  *ended = 0;
  while (at < end) {
    switch (reader->state) {
      case R_LENGTH:
      case R_CHUNK_DATA: {
        size_t part = (size_t)(end - at) < reader->remaining ? (size_t)(end - at) : reader->remaining;
        check_body(reader, id, at, part);
        at += part;
        reader->remaining -= part;
        if (reader->remaining) break;
        if (reader->state == R_CHUNK_DATA) {
          reader->state = R_CHUNK_END;
          break;
        }
        reader->state = R_HEAD;
        *ended = 1;
        return at - bytes;
      }
      case R_CHUNK_SIZE: {
        char c = *at++;
        int digit = hex_digit(c);
        if (digit >= 0) reader->remaining = reader->remaining * 16 + (uint64_t)digit;
        else if (c == '\n') {
          reader->state = reader->remaining ? R_CHUNK_DATA : R_TRAILER;
          reader->line_bytes = 0;
        } else if (c == ';') reader->state = R_CHUNK_EXTENSION;
        else if (c != '\r') return -1;
        break;
      }
      case R_CHUNK_EXTENSION:
        if (*at++ == '\n') reader->state = reader->remaining ? R_CHUNK_DATA : R_TRAILER;
        break;
      case R_CHUNK_END:
        if (*at++ == '\n') {
          reader->state = R_CHUNK_SIZE;
          reader->remaining = 0;
        }
        break;
      case R_TRAILER: {
        char c = *at++;
        if (c == '\n') {
          if (reader->line_bytes == 0) {
            reader->state = R_HEAD;
            *ended = 1;
            return at - bytes;
          }
          reader->line_bytes = 0;
        } else if (c != '\r') reader->line_bytes++;
        break;
      }
      case R_HEAD:
        return -1;
    }
  }
  return at - bytes;
}

/* Feeds bytes. `id` points at what the bodies start with (it may change in on_head) or is NULL. Returns -1 on trouble. */
static inline int feed(struct reader *reader, const struct sink *sink, void *owner, const char *id, const char *bytes,
                       size_t length, int is_response) {
  while (length > 0) {
    if (reader->state != R_HEAD) {
      int ended;
      int64_t taken = read_body(reader, id, bytes, length, &ended);
      if (taken < 0) return -1;
      bytes += taken;
      length -= (size_t)taken;
      if (ended && sink->on_end(owner) < 0) return -1;
      continue;
    }
    const char *start = bytes;
    size_t available = length;
    if (reader->carry_bytes) {
      size_t room = HEAD_MAX - reader->carry_bytes, part = length < room ? length : room;
      memcpy(reader->carry + reader->carry_bytes, bytes, part);
      start = reader->carry;
      available = reader->carry_bytes + part;
    }
    const char *blank = memmem(start, available, "\r\n\r\n", 4);
    if (!blank) {
      if (available >= HEAD_MAX) return -1;
      if (!reader->carry) reader->carry = malloc(HEAD_MAX);
      if (start != reader->carry) memcpy(reader->carry, start, available);
      reader->carry_bytes = available;
      return 0;
    }
    size_t head_bytes = (size_t)(blank - start) + 4;
    struct head head;
    if (parse_head(start, head_bytes, &head) < 0) return -1;
    size_t taken = head_bytes - reader->carry_bytes;
    int informational = is_response && head.status >= 100 && head.status < 200;
    if (!informational) {
      if (begin_body(reader, &head, is_response) < 0) return -1;
      if (sink->on_head(owner, &head) < 0) return -1;
    }
    reader->carry_bytes = 0;
    bytes += taken;
    length -= taken;
    if (!informational && reader->state == R_HEAD && sink->on_end(owner) < 0) return -1;
  }
  if (reader->state == R_HEAD && reader->carry && reader->carry_bytes == 0) {
    free(reader->carry); /* thousands of idle connections hold no buffer */
    reader->carry = NULL;
  }
  return 0;
}

#endif
