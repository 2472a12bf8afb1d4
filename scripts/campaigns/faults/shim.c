/* Loaded into letterlock by LD_PRELOAD: makes the nth step of one kind under one folder fail, or be the last one of the
 * process; sets the clock; answers name look-ups. What it does is written by the campaign into a file that both have mapped
 * (shim.mjs), so that it can change at any moment. It changes nothing of letterlock itself, and nothing outside that folder. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* In the order of shim.mjs. */
enum { MASK, AT, ERRNO, STICKY, COUNT, DONE, TORN, CLOCK, NAMES, NAMES_MS, NAMES_ASKED, FIELDS };
enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, UNLINK = 16, MKDIR = 32, LINK = 64, LOOK = 128, READ = 256, MAP = 512, CUT = 1024 };
#define KILL 9999

static volatile int64_t quiet[FIELDS];
static volatile int64_t *plan = quiet;
static char under[4096];
static size_t under_length;
#define MOST 65536
static volatile char ours[MOST];

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("FAULTS_PLAN");
  const char *folder = getenv("FAULTS_UNDER");
  if (file == NULL || folder == NULL || strlen(folder) >= sizeof under) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void *map = (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (map == MAP_FAILED) return;
  strcpy(under, folder);
  under_length = strlen(folder);
  plan = map;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int is_ours(const char *path) {
  return under_length > 0 && path != NULL && strncmp(path, under, under_length) == 0;
}
/* A descriptor can be closed where we do not see it, and be another's now: that one's is no file. */
static int is_our_fd(int fd) {
  struct stat facts;
  if (fd < 0 || fd >= MOST || !ours[fd]) return 0;
  if (syscall(SYS_fstat, fd, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode))) return 1;
  ours[fd] = 0;
  return 0;
}
static int noted(int fd, const char *path) {
  if (fd >= 0 && fd < MOST) ours[fd] = (char)is_ours(path);
  return fd;
}

static void end_here(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* 1 when this step is to fail; errno is set then. Comes back never when it is to be the last. */
static int fails(int kind) {
  if ((plan[MASK] & kind) == 0) return 0;
  int64_t count = __atomic_add_fetch((int64_t *)&plan[COUNT], 1, __ATOMIC_SEQ_CST);
  int64_t at = plan[AT];
  if (at == 0 || (plan[STICKY] ? count < at : count != at)) return 0;
  __atomic_add_fetch((int64_t *)&plan[DONE], 1, __ATOMIC_SEQ_CST);
  if (plan[ERRNO] == KILL && !(kind == WRITE && plan[TORN])) end_here();
  errno = (int)plan[ERRNO];
  return 1;
}

/* Half of it is written, then it fails or ends. */
static ssize_t torn(int fd, const void *bytes, size_t count) {
  int wanted = (int)plan[ERRNO];
  if (plan[TORN] && count > 1) syscall(SYS_write, fd, bytes, count / 2);
  if (wanted == KILL) end_here();
  errno = wanted;
  return -1;
}

static int open_kind(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 ? OPEN : LOOK; }

#define OPENS(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest); \
    if (is_ours(path) && fails(open_kind(flags))) return -1; \
    return noted(real(path, flags, mode), path); \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
  int name(int at, const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest); \
    if (is_ours(path) && fails(open_kind(flags))) return -1; \
    return noted(real(at, path, flags, mode), path); \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

/* LevelDB writes through FILE: what it gives up to the system is one step at each flush. */
#define OPENS_FILE(name) \
  FILE *name(const char *path, const char *how) { \
    REAL(name); \
    if (is_ours(path) && fails(strpbrk(how, "wa+") != NULL ? OPEN : LOOK)) return NULL; \
    FILE *file = real(path, how); \
    if (file != NULL) noted(fileno(file), path); \
    return file; \
  }
OPENS_FILE(fopen)
OPENS_FILE(fopen64)

/* What was to be flushed is gone then: it must not come to the disk when the file is closed. */
static int is_lost(FILE *file) {
  if (file == NULL || !is_our_fd(fileno_unlocked(file)) || __fpending(file) == 0 || !fails(WRITE)) return 0;
  if (plan[ERRNO] == KILL) end_here();
  __fpurge(file);
  errno = (int)plan[ERRNO];
  return 1;
}

#define FLUSHES(name) \
  int name(FILE *file) { \
    REAL(name); \
    return is_lost(file) ? EOF : real(file); \
  }
FLUSHES(fflush)
FLUSHES(fflush_unlocked)

int fclose(FILE *file) {
  REAL(fclose);
  int fd = fileno(file);
  int lost = is_lost(file);
  if (fd >= 0 && fd < MOST) ours[fd] = 0;
  return real(file) != 0 || lost ? EOF : 0;
}

int close(int fd) {
  REAL(close);
  if (fd >= 0 && fd < MOST) ours[fd] = 0;
  return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  if (is_our_fd(fd) && fails(WRITE)) return torn(fd, bytes, count);
  return real(fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  if (is_our_fd(fd) && fails(WRITE)) return torn(fd, parts[0].iov_base, parts[0].iov_len);
  return real(fd, parts, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  if (is_our_fd(fd) && fails(WRITE)) return torn(fd, bytes, count);
  return real(fd, bytes, count, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  if (is_our_fd(fd) && fails(WRITE)) return torn(fd, bytes, count);
  return real(fd, bytes, count, offset);
}
int fsync(int fd) {
  REAL(fsync);
  return is_our_fd(fd) && fails(SYNC) ? -1 : real(fd);
}
int fdatasync(int fd) {
  REAL(fdatasync);
  return is_our_fd(fd) && fails(SYNC) ? -1 : real(fd);
}
int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  return is_our_fd(fd) && fails(CUT) ? -1 : real(fd, length);
}
int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  return is_our_fd(fd) && fails(CUT) ? -1 : real(fd, length);
}
int rename(const char *from, const char *to) {
  REAL(rename);
  return is_ours(from) && fails(RENAME) ? -1 : real(from, to);
}
int unlink(const char *path) {
  REAL(unlink);
  return is_ours(path) && fails(UNLINK) ? -1 : real(path);
}
int remove(const char *path) {
  REAL(remove);
  return is_ours(path) && fails(UNLINK) ? -1 : real(path);
}
int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  return is_ours(path) && fails(MKDIR) ? -1 : real(path, mode);
}
int link(const char *from, const char *to) {
  REAL(link);
  return is_ours(from) && fails(LINK) ? -1 : real(from, to);
}
ssize_t read(int fd, void *bytes, size_t count) {
  REAL(read);
  return is_our_fd(fd) && fails(READ) ? -1 : real(fd, bytes, count);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
  REAL(pread);
  return is_our_fd(fd) && fails(READ) ? -1 : real(fd, bytes, count, offset);
}
ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
  REAL(pread64);
  return is_our_fd(fd) && fails(READ) ? -1 : real(fd, bytes, count, offset);
}
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  if (is_our_fd(fd) && fails(MAP)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  return mmap(address, length, protection, flags, fd, offset);
}

/* The wall clock only: waits go by the other one. */
int clock_gettime(clockid_t id, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, id, now);
  if (failed == 0 && plan[CLOCK] != 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += plan[CLOCK];
  return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *told) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (told != NULL) *told = now.tv_sec;
  return now.tv_sec;
}

enum { ASIS, AGAIN, UNKNOWN, BROKEN, SLOW, MOVED, BOTH, HANGS };

/* Names that end in .faults.test; the others are the system's. The right server is at 127.0.0.1, another at 127.0.0.2. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  REAL(getaddrinfo);
  static const char ending[] = ".faults.test";
  size_t length = node == NULL ? 0 : strlen(node);
  if (length < sizeof ending || strcmp(node + length - (sizeof ending - 1), ending) != 0) return real(node, service, hints, found);
  struct addrinfo wanted = {0};
  int64_t mode = strncmp(node, "calm", 4) == 0 ? ASIS : plan[NAMES];
  const char *address = "127.0.0.1";
  __atomic_add_fetch((int64_t *)&plan[NAMES_ASKED], 1, __ATOMIC_SEQ_CST);
  if (hints != NULL) wanted = *hints;
  wanted.ai_flags = AI_NUMERICHOST;
  wanted.ai_family = AF_INET;
  switch (mode) {
    case AGAIN: return EAI_AGAIN;
    case UNKNOWN: return EAI_NONAME;
    case BROKEN: errno = EIO; return EAI_SYSTEM;
    case SLOW: usleep((useconds_t)plan[NAMES_MS] * 1000); break;
    case MOVED: address = "127.0.0.2"; break;
    case HANGS: while (plan[NAMES] == HANGS) usleep(10000); break;
    case BOTH: {
      struct addrinfo *second;
      int failed = real("127.0.0.2", service, &wanted, found);
      if (failed == 0 && real("127.0.0.1", service, &wanted, &second) == 0) {
        struct addrinfo *last = *found;
        while (last->ai_next != NULL) last = last->ai_next;
        last->ai_next = second;
      }
      return failed;
    }
    default: break;
  }
  return real(address, service, &wanted, found);
}
