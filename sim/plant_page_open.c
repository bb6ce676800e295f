/*
 * Who may hold a page: the plant that makes it, one client, one guardian, each by a lock on a byte of the file that ends
 * with the open file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "sim/plant.h"
#include "sim/plant_page.h"
#include "sim/plant_page_layout.h"

_Static_assert(PLANT_MAX_SITES + PLANT_MAX_PARAMETERS + 2 <= PLANT_MAX_CHANNELS, "outputs fit");

static int take_pending(struct plant_page *page, struct err *err)
{
	const size_t n_in = CELL_IN + page->facts.n_in, n_out = CELL_OUT + page->facts.n_out;

	page->pending = calloc(n_in > n_out ? n_in : n_out, sizeof(*page->pending));
	return page->pending ? 0 : err_set(err, JOSTLE_ENOMEM, "no memory for a plant's channels");
}

static int take_path(struct plant_page *page, const char *name, struct err *err)
{
	*page = (struct plant_page){.fd = -1};
	const size_t length = strlen(name);
	const bool fits = length > 0 && length < 64 &&
			  strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == length;

	if (!fits)
		return err_set(err, JOSTLE_EINVAL,
			       "plant name: expected 1 to 63 letters, digits, \"-\", \"_\" or \".\", found \"%.80s\"",
			       name);
	snprintf(page->path, sizeof(page->path), "/jostle-plant-%s", name);
	return 0;
}

/** Lock one byte of the file for this open file: released by the kernel when the process ends. */
static bool take_lock(int fd, enum page_lock byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool plant_page_is_locked(int fd, enum page_lock byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/**
 * Remove the page of a plant that has ended; refuse when it has not. The plant's own lock is only asked about: a client
 * that attaches at this moment must not take the replacer for a living plant. Two replacers take turns, and the second
 * finds the page unlinked.
 */
static int remove_stale(struct plant_page *page, struct err *err)
{
	const int fd = shm_open(page->path, O_RDWR | O_CLOEXEC, 0);
	struct stat status;
	int code = 0;

	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_set(err, JOSTLE_EIO, "shared memory %s cannot be opened: %s", page->path,
						 strerror(errno));
	if (plant_page_is_locked(fd, LOCK_PLANT) || !take_lock(fd, LOCK_REPLACE)) {
		code = err_set(err, JOSTLE_EBUSY, "a plant with shared memory %s is running", page->path);
	} else if (fstat(fd, &status) == 0 && status.st_nlink > 0) {
		log_warning("replacing shared memory %s, left behind by a plant that has ended", page->path);
		shm_unlink(page->path);
	}
	close(fd);
	return code;
}

void plant_state_facts(struct plant_facts *facts, const struct plant_config *config, double period_s)
{
	*facts = (struct plant_facts){
		.n_in = (uint32_t)plant_n_in(config),
		.n_out = (uint32_t)plant_n_out(config),
		.n_sites = (uint32_t)config->n_sites,
		.n_parameters = (uint32_t)config->n_parameters,
		.pid = getpid(),
		.period_s = period_s,
		.monostable_s = config->monostable.timeout_s,
		.exclusive = config->exclusive,
	};
	snprintf(facts->name, sizeof(facts->name), "%s", config->name);
	for (size_t c = 0; c < facts->n_in; c++)
		facts->has_in[c] = plant_has_input(config, c);
	for (size_t c = 0; c < facts->n_out; c++)
		facts->has_out[c] = plant_has_output(config, c);
}

int plant_page_create(struct plant_page *page, const char *name, const struct plant_config *config, double period_s,
		      struct err *err)
{
	int code = take_path(page, name, err);

	code = code < 0 ? code : remove_stale(page, err);
	if (code < 0)
		return code;
	page->server = true;
	plant_state_facts(&page->facts, config, period_s);
	page->size = page_size(&page->facts);
	code = take_pending(page, err);
	if (code < 0)
		return code;
	page->fd = shm_open(page->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (page->fd < 0) {
		const int why = errno;

		code = err_set(err, why == EEXIST ? JOSTLE_EBUSY : JOSTLE_EIO, "shared memory %s cannot be created: %s",
			       page->path, strerror(why));
		goto fail;
	}
	if (!take_lock(page->fd, LOCK_PLANT) || ftruncate(page->fd, (off_t)page->size) < 0) {
		code = err_set(err, JOSTLE_EIO, "shared memory %s cannot be set up: %s", page->path, strerror(errno));
		goto fail;
	}
	page->shared = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_SHARED, page->fd, 0);
	if (page->shared == MAP_FAILED) {
		page->shared = NULL;
		code = err_set(err, JOSTLE_EIO, "shared memory %s cannot be mapped: %s", page->path, strerror(errno));
		goto fail;
	}
	page->shared->version = PAGE_VERSION;
	page->shared->size = page->size;
	page->shared->facts = page->facts;
	atomic_store_explicit(&page->shared->ready, PAGE_MAGIC, memory_order_release);
	return 0;
fail:
	plant_page_close(page);
	return code;
}

/** Take the facts off the page once, and believe none that can't be. */
static int check_facts(struct plant_page *page, struct err *err)
{
	struct plant_facts *facts = &page->facts;

	if (page->shared->version != PAGE_VERSION)
		return err_set(err, JOSTLE_EVERSION, "shared memory %s: expected version %u, found %u", page->path,
			       PAGE_VERSION, page->shared->version);
	memcpy(facts, &page->shared->facts, sizeof(*facts));
	facts->name[sizeof(facts->name) - 1] = '\0';
	if (facts->n_sites < 1 || facts->n_sites > PLANT_MAX_SITES || facts->n_parameters > PLANT_MAX_PARAMETERS ||
	    facts->n_in != 2 * facts->n_sites + 1 || facts->n_out != facts->n_sites + facts->n_parameters + 2)
		return err_set(err, JOSTLE_EFORMAT,
			       "shared memory %s: found %u inputs and %u outputs for %u sites and %u parameters",
			       page->path, facts->n_in, facts->n_out, facts->n_sites, facts->n_parameters);
	if (page_size(facts) > page->size)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: expected %zu bytes for its channels, found %zu",
			       page->path, page_size(facts), page->size);
	if (!(facts->period_s > 0.0 && facts->period_s <= 1e6))
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: period: found %g s", page->path,
			       facts->period_s);
	return 0;
}

static int map_page(struct plant_page *page, struct err *err)
{
	static const struct plant_facts most = {.n_in = PLANT_MAX_CHANNELS, .n_out = PLANT_MAX_CHANNELS};
	struct stat status;

	if (fstat(page->fd, &status) < 0 || status.st_uid != geteuid())
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s is not this user's", page->path);
	if (!plant_page_is_locked(page->fd, LOCK_PLANT))
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s has ended", page->path);
	if (status.st_size == 0)
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s is not ready yet", page->path);
	if (status.st_size < (off_t)sizeof(struct plant_shared) || status.st_size > (off_t)page_size(&most))
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: found %lld bytes, not a plant's", page->path,
			       (long long)status.st_size);
	page->size = (size_t)status.st_size;
	page->shared = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_SHARED, page->fd, 0);
	if (page->shared == MAP_FAILED) {
		page->shared = NULL;
		return err_set(err, JOSTLE_EIO, "shared memory %s cannot be mapped: %s", page->path, strerror(errno));
	}
	if (atomic_load_explicit(&page->shared->ready, memory_order_acquire) != PAGE_MAGIC)
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s is not ready yet", page->path);
	const int code = check_facts(page, err);
	return code < 0 ? code : take_pending(page, err);
}

/** Open the page of a running plant, whichever side of it one is to be. */
static int open_page(struct plant_page *page, const char *name, struct err *err)
{
	int code = take_path(page, name, err);

	if (code < 0)
		return code;
	page->fd = shm_open(page->path, O_RDWR | O_CLOEXEC, 0);
	if (page->fd < 0)
		return err_set(err, JOSTLE_ENODEV, "no plant named \"%s\" is running (shared memory %s: %s)", name,
			       page->path, strerror(errno));
	return map_page(page, err);
}

/**
 * Take the outputs over from a guardian that is gone, as it left them: the volts of the client that died before it must
 * not come back. A guardian that died while it wrote leaves two sets of its own mixed, both on the way to safe.
 */
static void inherit_outputs(struct plant_page *page)
{
	if (!atomic_load_explicit(&page->shared->seized, memory_order_acquire))
		return;
	plant_page_read_guard(page);
	plant_page_write(page, page->pending);
	plant_page_let_go(page);
}

int plant_page_attach(struct plant_page *page, const char *name, struct err *err)
{
	int code = open_page(page, name, err);

	if (code == 0 && !take_lock(page->fd, LOCK_CLIENT))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) has a client already", name,
			       page->facts.pid);
	if (code == 0 && atomic_load_explicit(&page->shared->seized, memory_order_acquire) &&
	    plant_page_is_locked(page->fd, LOCK_GUARD))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d): its outputs are held by a guardian", name,
			       page->facts.pid);
	if (code < 0) {
		plant_page_close(page);
		return code;
	}
	plant_page_skip(page);
	inherit_outputs(page);
	return 0;
}

int plant_page_guard(struct plant_page *page, const char *name, struct err *err)
{
	int code = open_page(page, name, err);

	if (code == 0 && page->facts.exclusive)
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) can be opened only once", name,
			       page->facts.pid);
	if (code == 0 && !take_lock(page->fd, LOCK_GUARD))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) has a guardian already", name,
			       page->facts.pid);
	if (code < 0)
		plant_page_close(page);
	return code;
}

void plant_page_close(struct plant_page *page)
{
	if (page->server && page->shared) {
		atomic_store_explicit(&page->shared->ready, 0, memory_order_release);
		atomic_fetch_add_explicit(&page->shared->edge_word, 1, memory_order_release);
		futex_wake(&page->shared->edge_word);
	}
	if (page->server && page->fd >= 0)
		shm_unlink(page->path);
	if (page->shared)
		munmap(page->shared, page->size);
	if (page->fd >= 0)
		close(page->fd);
	free(page->pending);
	page->pending = NULL;
	page->shared = NULL;
	page->fd = -1;
}
