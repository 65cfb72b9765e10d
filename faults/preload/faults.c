/*
 * A library that is loaded before libc (LD_PRELOAD) and makes a process's writes fail, or its clock jump.
 *
 *   FAULTS_FOLDER  only files below this folder are meant
 *   FAULTS_CALLS   which calls fail, of "open,write,fsync,rename", by their first letters: "owfr"
 *   FAULTS_AFTER   how many such calls succeed before
 *   FAULTS_ERRNO   the number of the error that they then end with; all later ones fail too
 *   FAULTS_MARK    a file that is made at the first failure, to tell that there was one
 *   FAULTS_CLOCK   seconds by which the wall clock jumps to and fro, every 20 times that it is asked
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_int calls;

static int is_meant(char letter, const char *path) {
  const char *folder = getenv("FAULTS_FOLDER");
  const char *letters = getenv("FAULTS_CALLS");
  if (!folder || !letters || !path || !strchr(letters, letter)) return 0;
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* Tells whether a call is one that fails now, and sets errno if so. */
static int fails(char letter, const char *path) {
  const char *after = getenv("FAULTS_AFTER");
  if (!after || !is_meant(letter, path)) return 0;
  if (atomic_fetch_add(&calls, 1) < atoi(after)) return 0;
  const char *mark = getenv("FAULTS_MARK");
  if (mark) {
    int file = (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600);
    if (file >= 0) syscall(SYS_close, file);
  }
  const char *number = getenv("FAULTS_ERRNO");
  errno = number ? atoi(number) : EIO;
  return 1;
}

static int fails_of(char letter, int file) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails(letter, path);
}

/* A relative path is below the folder if the working directory is. */
static int fails_at(char letter, const char *path) {
  char whole[PATH_MAX];
  if (!path) return 0;
  if (path[0] == '/') return fails(letter, path);
  if (!getcwd(whole, sizeof whole)) return 0;
  size_t length = strlen(whole);
  snprintf(whole + length, sizeof whole - length, "/%s", path);
  return fails(letter, whole);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int writes(int flags) { return (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY; }

#define OPEN(name)                                                   \
  int name(const char *path, int flags, ...) {                       \
    mode_t mode = 0;                                                 \
    if (flags & O_CREAT) {                                           \
      va_list list;                                                  \
      va_start(list, flags);                                         \
      mode = va_arg(list, mode_t);                                   \
      va_end(list);                                                  \
    }                                                                \
    if (writes(flags) && fails_at('o', path)) return -1;             \
    return REAL(name)(path, flags, mode);                            \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                 \
  int name(int folder, const char *path, int flags, ...) {           \
    mode_t mode = 0;                                                 \
    if (flags & O_CREAT) {                                           \
      va_list list;                                                  \
      va_start(list, flags);                                         \
      mode = va_arg(list, mode_t);                                   \
      va_end(list);                                                  \
    }                                                                \
    if (writes(flags) && fails_at('o', path)) return -1;             \
    return REAL(name)(folder, path, flags, mode);                    \
  }
OPENAT(openat)
OPENAT(openat64)

/* A disk that fills up takes the first half of what is written to it. */
static size_t taken(size_t size) { return errno == ENOSPC && size > 1 ? size / 2 : 0; }

static atomic_int halved;

ssize_t write(int file, const void *bytes, size_t size) {
  if (!fails_of('w', file)) return REAL(write)(file, bytes, size);
  size_t half = atomic_exchange(&halved, 1) ? 0 : taken(size);
  return half ? REAL(write)(file, bytes, half) : -1;
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
  return fails_of('w', file) ? -1 : REAL(pwrite)(file, bytes, size, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) {
  return fails_of('w', file) ? -1 : REAL(pwrite64)(file, bytes, size, at);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  return fails_of('w', file) ? -1 : REAL(writev)(file, parts, count);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  return fails_of('w', file) ? -1 : REAL(pwritev)(file, parts, count, at);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
  return fails_of('w', file) ? -1 : REAL(pwritev64)(file, parts, count, at);
}
int fsync(int file) { return fails_of('f', file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails_of('f', file) ? -1 : REAL(fdatasync)(file); }
int rename(const char *from, const char *to) {
  return fails_at('r', to) ? -1 : REAL(rename)(from, to);
}
int link(const char *from, const char *to) { return fails_at('o', to) ? -1 : REAL(link)(from, to); }
int mkdir(const char *path, mode_t mode) { return fails_at('o', path) ? -1 : REAL(mkdir)(path, mode); }
/* Only what is read only cannot be removed from either; a full disk can be made emptier. */
static int is_read_only(const char *path) {
  const char *number = getenv("FAULTS_ERRNO");
  return number && atoi(number) == EROFS && fails_at('o', path);
}
int unlink(const char *path) { return is_read_only(path) ? -1 : REAL(unlink)(path); }
int unlinkat(int folder, const char *path, int flags) {
  char link[64], whole[2 * PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = path && path[0] != '/' && folder >= 0 ? readlink(link, whole, PATH_MAX) : -1;
  if (length >= 0) snprintf(whole + length, sizeof whole - length, "/%s", path);
  return is_read_only(length >= 0 ? whole : path) ? -1 : REAL(unlinkat)(folder, path, flags);
}
/* Newer versions of Node remove files so. */
int remove(const char *path) { return is_read_only(path) ? -1 : REAL(remove)(path); }

static atomic_int asked;

static long jump(void) {
  const char *seconds = getenv("FAULTS_CLOCK");
  if (!seconds) return 0;
  return (atomic_fetch_add(&asked, 1) / 20 % 3 - 1) * atol(seconds);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int code = (int)syscall(SYS_clock_gettime, clock, now);
  if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += jump();
  return code;
}
int gettimeofday(struct timeval *now, void *zone) {
  (void)zone;
  struct timespec real;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
  now->tv_sec = real.tv_sec + jump();
  now->tv_usec = real.tv_nsec / 1000;
  return 0;
}
