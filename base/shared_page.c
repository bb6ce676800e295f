#include "base/shared_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define REPLACER 63   /* the byte that whoever replaces a dead page locks, so that two take turns */
#define ATTEMPTS 1000 /* to read a whole set; its writer is in the way for a microsecond a period */

static int take_path(struct shared_page *page, const char *kind, const char *name, struct err *err)
{
	const size_t length = strlen(name);
	const bool fits = length > 0 && length < 64 &&
			  strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == length;

	*page = (struct shared_page){.fd = -1};
	if (!fits)
		return err_set(err, JOSTLE_EINVAL,
			       "%s name: expected 1 to 63 letters, digits, \"-\", \"_\" or \".\", found \"%.80s\"",
			       kind, name);
	snprintf(page->path, sizeof(page->path), "/jostle-%s-%s", kind, name);
	return 0;
}

static struct flock one_byte(int byte)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

bool shared_page_lock(const struct shared_page *page, int byte)
{
	struct flock lock = one_byte(byte);

	return fcntl(page->fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_locked(int fd, int byte)
{
	struct flock lock = one_byte(byte);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool shared_page_is_locked(const struct shared_page *page, int byte)
{
	return is_locked(page->fd, byte);
}

static bool is_kept(int fd, unsigned keepers)
{
	for (int byte = 0; keepers >> byte; byte++)
		if (keepers >> byte & 1u && is_locked(fd, byte))
			return true;
	return false;
}

/**
 * Remove a page that nobody holds. The keepers' locks are only asked about: who joins at this moment must not take the
 * replacer for a living maker. Two replacers take turns, and the second finds the page unlinked.
 */
static int remove_dead(struct shared_page *page, unsigned keepers, struct err *err)
{
	const int fd = shm_open(page->path, O_RDWR | O_CLOEXEC, 0);
	struct flock turn = one_byte(REPLACER);
	struct stat status;
	int code = 0;

	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_set(err, JOSTLE_EIO, "shared memory %s cannot be opened: %s", page->path,
						 strerror(errno));
	/* The turn first: a maker that has locked its new page asks about the turn after that. */
	if (fcntl(fd, F_OFD_SETLK, &turn) < 0 || is_kept(fd, keepers)) {
		code = err_set(err, JOSTLE_EBUSY, "shared memory %s is held by a process that lives", page->path);
	} else if (fstat(fd, &status) == 0 && status.st_nlink > 0) {
		log_warning("replacing shared memory %s, left behind by a process that has ended", page->path);
		shm_unlink(page->path);
	}
	close(fd);
	return code;
}

/** Lock a page just created; false when somebody is replacing it, who saw it before it was locked. */
static bool claim(const struct shared_page *page)
{
	struct stat status;

	return shared_page_lock(page, SHARED_PAGE_MAKER) && !is_locked(page->fd, REPLACER) &&
	       fstat(page->fd, &status) == 0 && status.st_nlink > 0;
}

static int map(struct shared_page *page, struct err *err)
{
	page->memory = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_SHARED, page->fd, 0);
	if (page->memory != MAP_FAILED)
		return 0;
	page->memory = NULL;
	return err_set(err, JOSTLE_EIO, "shared memory %s cannot be mapped: %s", page->path, strerror(errno));
}

int shared_page_make(struct shared_page *page, const char *kind, const char *name, size_t size, unsigned keepers,
		     struct err *err)
{
	int code = take_path(page, kind, name, err);

	code = code < 0 ? code : remove_dead(page, keepers, err);
	if (code < 0)
		return code;
	page->size = size;
	page->fd = shm_open(page->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (page->fd < 0) {
		const int why = errno;

		return err_set(err, why == EEXIST ? JOSTLE_EBUSY : JOSTLE_EIO, "shared memory %s cannot be created: %s",
			       page->path, strerror(why));
	}
	page->maker = claim(page);
	if (!page->maker)
		code = err_set(err, JOSTLE_EBUSY, "shared memory %s is being made by another process", page->path);
	else if (ftruncate(page->fd, (off_t)size) < 0)
		code = err_set(err, JOSTLE_EIO, "shared memory %s cannot be set up: %s", page->path, strerror(errno));
	code = code < 0 ? code : map(page, err);
	if (code < 0)
		shared_page_close(page);
	return code;
}

static int check(struct shared_page *page, size_t min_size, size_t max_size, struct err *err)
{
	struct stat status;

	if (fstat(page->fd, &status) < 0 || status.st_uid != geteuid())
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s is not this user's", page->path);
	if (!is_locked(page->fd, SHARED_PAGE_MAKER))
		return err_set(err, JOSTLE_ENOENT, "whoever made shared memory %s has ended", page->path);
	if (status.st_size == 0)
		return err_set(err, JOSTLE_ENOENT, "shared memory %s is not ready yet", page->path);
	if (status.st_size < (off_t)min_size || status.st_size > (off_t)max_size)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: expected %zu to %zu bytes, found %lld",
			       page->path, min_size, max_size, (long long)status.st_size);
	page->size = (size_t)status.st_size;
	return 0;
}

int shared_page_join(struct shared_page *page, const char *kind, const char *name, size_t min_size, size_t max_size,
		     struct err *err)
{
	int code = take_path(page, kind, name, err);

	if (code < 0)
		return code;
	page->fd = shm_open(page->path, O_RDWR | O_CLOEXEC, 0);
	if (page->fd < 0)
		return err_set(err, errno == ENOENT ? JOSTLE_ENOENT : JOSTLE_EIO,
			       "nothing named \"%s\" runs (shared memory %s: %s)", name, page->path, strerror(errno));
	code = check(page, min_size, max_size, err);
	code = code < 0 ? code : map(page, err);
	if (code < 0)
		shared_page_close(page);
	return code;
}

void shared_page_unlink(const struct shared_page *page)
{
	struct stat status;

	if (fstat(page->fd, &status) == 0 && status.st_nlink > 0)
		shm_unlink(page->path);
}

void shared_page_close(struct shared_page *page)
{
	if (page->maker)
		shared_page_unlink(page);
	if (page->memory)
		munmap(page->memory, page->size);
	if (page->fd >= 0)
		close(page->fd);
	page->memory = NULL;
	page->fd = -1;
	page->maker = false;
}

bool shared_set_read(atomic_uint *sequence, const shared_cell cells[], size_t n, uint64_t values[])
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const unsigned before = atomic_load_explicit(sequence, memory_order_acquire);

		for (size_t c = 0; c < n; c++)
			values[c] = atomic_load_explicit(&cells[c], memory_order_acquire);
		if (!(before & 1u) && atomic_load_explicit(sequence, memory_order_relaxed) == before)
			return true;
	}
	return false;
}
