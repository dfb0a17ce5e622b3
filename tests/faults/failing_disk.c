/* A disk that fails when it is told to, between SQLite and the C library (LD_PRELOAD).

   What changes the store's files on disk is counted: writes, syncs, truncations, deletions, and the
   sync of their folder. One call fails, or all from one on; `struct disk`, which lies in a
   file that the test maps too, says which.

   Where FAILING_DISK_MEMORY is set, it also keeps beside each file, as FILE.durable, what a
   power cut would leave of it: what was synced, and no more. Linux forgets after a failed sync that
   the pages were dirty, so what it failed to sync is lost unless it is written again. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk {
    long calls;      /* so far, since the test set this to 0 */
    long fail_at;    /* the number of the call that fails; 0: none */
    long persistent; /* whether all calls after it fail too */
    long error;      /* errno; 0: the call writes half of what it should, and says so */
    long hits;       /* calls that failed */
    long process;    /* whose calls these are; 0: anybody's, the daemon's desk among them */
    char store[1024];
};

enum { DATABASE, WAL, JOURNAL, SHM, FOLDER, FILES, OTHER };
static const char *const SUFFIX[] = {"", "-wal", "-journal", "-shm"};

struct range {
    int file;
    off_t start, end;
};

enum { RANGES_MAX = 100000, BLOCK = 1 << 16 };

static struct disk *disk;
static int remembers;
static struct range dirty[RANGES_MAX];
static int dirty_count;
static int deleted[FILES]; /* whose deletion the folder's sync has not made durable yet */

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void)
{
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    const char *file = getenv("FAILING_DISK");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof(struct disk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        disk = mapped;
    remembers = getenv("FAILING_DISK_MEMORY") != NULL;
}

/* Which of the store's files a path is. */
static int file_named(const char *path)
{
    if (!disk || !disk->store[0])
        return OTHER;
    size_t length = strlen(disk->store);
    if (strncmp(path, disk->store, length) == 0) {
        for (int file = DATABASE; file <= SHM; file++)
            if (strcmp(path + length, SUFFIX[file]) == 0)
                return file;
    }
    size_t folder = strrchr(disk->store, '/') - disk->store;
    return strlen(path) == folder && strncmp(path, disk->store, folder) == 0 ? FOLDER : OTHER;
}

static int file_of(int fd)
{
    char link[64], path[2048];
    if (!disk)
        return OTHER;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return OTHER;
    path[length] = 0;
    return file_named(path);
}

/* Count a call; whether it is one that fails. */
static int fails(void)
{
    if (disk->process && disk->process != getpid())
        return 0;
    long call = __atomic_add_fetch(&disk->calls, 1, __ATOMIC_SEQ_CST);
    long at = disk->fail_at;
    if (!at || (disk->persistent ? call < at : call != at))
        return 0;
    __atomic_add_fetch(&disk->hits, 1, __ATOMIC_SEQ_CST);
    errno = (int)disk->error;
    return 1;
}

static void durable_name(int file, char *name, size_t size)
{
    snprintf(name, size, "%s%s.durable", disk->store, SUFFIX[file]);
}

static void remember_write(int file, off_t start, ssize_t written)
{
    if (!remembers || written <= 0 || file > JOURNAL)
        return;
    if (dirty_count == RANGES_MAX)
        abort();
    dirty[dirty_count++] = (struct range){file, start, start + written};
}

static void forget_writes(int file)
{
    int kept = 0;
    for (int at = 0; at < dirty_count; at++)
        if (dirty[at].file != file)
            dirty[kept++] = dirty[at];
    dirty_count = kept;
}

/* The file is synced: its durable form takes over what was written since the last time. */
static void remember_sync(int fd, int file)
{
    char name[2048], block[BLOCK];
    struct stat status;
    if (file == FOLDER)
        for (int each = DATABASE; each <= JOURNAL; each++)
            if (deleted[each]) {
                durable_name(each, name, sizeof name);
                real_unlink(name);
                deleted[each] = 0;
            }
    if (file > JOURNAL)
        return;
    durable_name(file, name, sizeof name);
    int out = open(name, O_RDWR | O_CREAT | O_CLOEXEC | (deleted[file] ? O_TRUNC : 0), 0600);
    deleted[file] = 0;
    if (out < 0 || fstat(fd, &status))
        abort();
    for (int at = 0; at < dirty_count; at++)
        for (off_t here = dirty[at].start; dirty[at].file == file && here < dirty[at].end;) {
            off_t left = dirty[at].end - here;
            ssize_t length = pread(fd, block, left < BLOCK ? left : BLOCK, here);
            if (length <= 0)
                break; /* cut off since */
            if (real_pwrite(out, block, length, here) != length)
                abort();
            here += length;
        }
    if (real_ftruncate(out, status.st_size))
        abort();
    close(out);
    forget_writes(file);
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off_t offset)
{
    int file = file_of(fd);
    if (file != OTHER && fails()) {
        if (disk->error)
            return -1;
        count = (count + 1) / 2;
    }
    ssize_t written = real_pwrite(fd, octets, count, offset);
    if (file != OTHER)
        remember_write(file, offset, written);
    return written;
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t offset)
{
    return pwrite64(fd, octets, count, offset);
}

ssize_t write(int fd, const void *octets, size_t count)
{
    int file = file_of(fd);
    if (file != OTHER && fails()) {
        if (disk->error)
            return -1;
        count = (count + 1) / 2;
    }
    off_t start = file == OTHER ? 0 : lseek(fd, 0, SEEK_CUR);
    ssize_t written = real_write(fd, octets, count);
    if (file != OTHER)
        remember_write(file, start, written);
    return written;
}

static int sync_with(int (*real)(int), int fd)
{
    int file = file_of(fd);
    if (file != OTHER && fails() && disk->error) {
        forget_writes(file);
        return -1;
    }
    if (!remembers)
        return real(fd);
    /* What is durable is remembered here; the machine's own disk need not be waited for. */
    if (file != OTHER)
        remember_sync(fd, file);
    return 0;
}

int fsync(int fd)
{
    return sync_with(real_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_with(real_fdatasync, fd);
}

int ftruncate64(int fd, off_t length)
{
    return file_of(fd) != OTHER && fails() && disk->error ? -1 : real_ftruncate(fd, length);
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

int unlink(const char *path)
{
    int file = file_named(path);
    if (file == OTHER)
        return real_unlink(path);
    if (fails() && disk->error)
        return -1;
    int result = real_unlink(path);
    if (!result && file <= JOURNAL) {
        forget_writes(file);
        deleted[file] = 1;
    }
    return result;
}
