/*
 * Puts every tensor's memory of up to a MiB right before a page that may not be touched, for the fuzz: an operator that
 * reads or writes behind its tensors' ends, or memory that was freed, dies at once instead of now and then. libtorch
 * asks for such memory by posix_memalign. Loaded by LD_PRELOAD; glibc on x86-64.
 *
 * Blocks end at the page's end but for their alignment; the bytes in between hold a pattern, which is looked at when the
 * block is freed. Fresh memory is filled with 0xfe, so that a number that was never written is a large one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

enum { kPage = 4096, kMost = 1 << 20, kPattern = 0xa5, kFresh = 0xfe };
static const size_t kPages = (size_t)1 << 21;

/* What a block's first page says; pages of no block have a count of 0. */
struct block {
  uint32_t pages, size;
};
static uint8_t *arena;
static struct block *blocks;
static size_t next;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what) {
  if (write(2, what, strlen(what)) < 0) _exit(99);
  abort();
}

/*
 * OpenBLAS reads whole vectors where the last elements of a matrix are fewer, and makes no use of the rest: the page behind
 * is opened for that.
 */
static int is_rest_of_vector(const uint8_t *at, uintptr_t code) {
  Dl_info library;
  if (!dladdr((void *)code, &library) || !strstr(library.dli_fname, "openblas")) return 0;
  uint8_t *const page = (uint8_t *)((uintptr_t)at / kPage * kPage);
  return at - page < 64 && mprotect(page, kPage, PROT_READ) == 0;
}

/* Says who touched what, and lets the signal end the process. */
static void tell(int number, siginfo_t *info, void *context) {
  void *frames[24];
  char line[120];
  const uint8_t *at = info->si_addr;
  const int inside = arena && at >= arena && at < arena + kPages * kPage;
  const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const int written = (registers[REG_ERR] & 2) != 0;
  if (inside && !written && is_rest_of_vector(at, (uintptr_t)registers[REG_RIP])) return;
  const char *how = written ? "written" : "read";
  const int length = snprintf(line, sizeof line, "guard: %s %s at %p\n",
                              inside ? "guarded memory" : "other memory", how, info->si_addr);
  if (write(2, line, (size_t)length) < 0) _exit(99);
  backtrace_symbols_fd(frames, backtrace(frames, 24), 2);
  signal(number, SIG_DFL);
}

static void open_arena(void) {
  const struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);

  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  arena = mmap(NULL, kPages * kPage, PROT_NONE, flags, -1, 0);
  blocks = mmap(NULL, kPages * sizeof *blocks, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (arena == MAP_FAILED || blocks == MAP_FAILED) die("guard: no address space for guarded memory\n");
}

/* Finds so many free pages behind the last block that was given out, so that freed ones stay closed for long. */
static size_t find_room(uint32_t pages) {
  for (size_t tries = 0; tries < 2; tries++) {
    size_t run = 0;
    while (next < kPages) {
      const struct block here = blocks[next];
      if (here.pages) run = 0;
      next += here.pages ? here.pages : 1;
      if (!here.pages && ++run == pages) return next - pages;
    }
    next = 0;
  }
  return kPages;
}

int posix_memalign(void **to, size_t alignment, size_t size) {
  if (size == 0 || size > kMost || alignment > kPage) {
    void *block = __libc_memalign(alignment, size);
    if (!block) return ENOMEM;
    *to = block;
    return 0;
  }
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  const uint32_t pages = (uint32_t)((rounded + kPage - 1) / kPage);
  pthread_mutex_lock(&mutex);
  if (!arena) open_arena();
  /* One more for the page behind. */
  const size_t first = find_room(pages + 1);
  if (first < kPages) blocks[first] = (struct block){pages + 1, (uint32_t)size};
  pthread_mutex_unlock(&mutex);
  uint8_t *const begin = arena + first * kPage;
  if (first == kPages || mprotect(begin, (size_t)pages * kPage, PROT_READ | PROT_WRITE) != 0) return ENOMEM;
  uint8_t *const end = begin + (size_t)pages * kPage, *const block = end - rounded;
  memset(begin, kPattern, (size_t)(block - begin));
  memset(block, kFresh, size);
  memset(block + size, kPattern, rounded - size);
  *to = block;
  return 0;
}

void free(void *given) {
  uint8_t *const block = given;
  if (!arena || block < arena || block >= arena + kPages * kPage) {
    __libc_free(given);
    return;
  }
  const size_t first = (size_t)(block - arena) / kPage;
  const struct block of = blocks[first];
  if (!of.pages) die("guard: freed twice, or no block\n");
  uint8_t *const begin = arena + first * kPage, *const end = begin + (size_t)(of.pages - 1) * kPage;
  for (const uint8_t *at = begin; at < block; at++) {
    if (*at != kPattern) die("guard: written before a block\n");
  }
  for (const uint8_t *at = block + of.size; at < end; at++) {
    if (*at != kPattern) die("guard: written behind a block\n");
  }
  madvise(begin, (size_t)of.pages * kPage, MADV_DONTNEED);
  mprotect(begin, (size_t)of.pages * kPage, PROT_NONE);
  pthread_mutex_lock(&mutex);
  blocks[first].pages = 0;
  pthread_mutex_unlock(&mutex);
}
