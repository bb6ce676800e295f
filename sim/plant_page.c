/*
 * Sequence counters (Boehm 2012): the writer makes the counter odd, writes, makes it even; a reader that saw the same
 * even value before and after has a whole set. Values are stored with release and loaded with acquire, which orders them
 * against the counter without fences. A writer that died in the middle leaves the counter odd, and its successor goes on
 * from there.
 */
#include "sim/plant_page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "sim/plant.h"

#define PAGE_MAGIC   0x4a504c54u /* "JPLT" */
#define PAGE_VERSION 2u
#define ATTEMPTS     1000 /* to read a whole set while the other side writes; it does so for a microsecond a period */
#define LOCK_PLANT   0    /* bytes of the file that are locked */
#define LOCK_CLIENT  1
#define LOCK_REPLACE 2

_Static_assert(PLANT_MAX_SITES + PLANT_MAX_PARAMETERS + 1 <= PLANT_MAX_CHANNELS, "outputs fit");

struct plant_shared {
	atomic_uint ready; /* PAGE_MAGIC once the rest is there; 0 again when the plant ends */
	uint32_t version;
	uint64_t size;
	struct plant_facts facts;
	_Alignas(64) atomic_uint edge_word; /* low bits of the edge: what the client sleeps on */
	atomic_uint in_sequence;
	_Alignas(64) atomic_uint out_sequence;
	_Alignas(64) atomic_uint_fast64_t cells[]; /* the plant's set, then the client's, as bit patterns */
};

/* The plant's set: edge, t_ns, the edge that the outputs in force were written for, in_V[n_in]. */
#define CELL_EDGE  0
#define CELL_TIME  1
#define CELL_TAKEN 2
#define CELL_IN    3
/* The client's, after it: the edge that it is for, out_V[n_out]. */
#define CELL_FOR 0
#define CELL_OUT 1

static size_t page_size(size_t n_in, size_t n_out)
{
	return sizeof(struct plant_shared) + (CELL_IN + n_in + CELL_OUT + n_out) * sizeof(atomic_uint_fast64_t);
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double value_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t load_cell(struct plant_page *page, size_t i)
{
	return atomic_load_explicit(&page->shared->cells[i], memory_order_acquire);
}

static void store_cell(struct plant_page *page, size_t i, uint64_t bits)
{
	atomic_store_explicit(&page->shared->cells[i], bits, memory_order_release);
}

static unsigned begin_write(atomic_uint *sequence)
{
	const unsigned odd = (atomic_load_explicit(sequence, memory_order_relaxed) + 1) | 1u;

	atomic_store_explicit(sequence, odd, memory_order_relaxed);
	return odd;
}

static void end_write(atomic_uint *sequence, unsigned odd)
{
	atomic_store_explicit(sequence, odd + 1, memory_order_release);
}

/** Read a whole set of volts into `pending`. False when a writer was in the way every time. */
static bool read_set(struct plant_page *page, atomic_uint *sequence, size_t first, size_t n)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const unsigned before = atomic_load_explicit(sequence, memory_order_acquire);

		for (size_t c = 0; c < n; c++)
			page->pending[c] = value_of(load_cell(page, first + c));
		if (!(before & 1u) && atomic_load_explicit(sequence, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

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
static bool take_lock(int fd, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_locked(int fd, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

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
	if (is_locked(fd, LOCK_PLANT) || !take_lock(fd, LOCK_REPLACE)) {
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
	page->size = page_size(page->facts.n_in, page->facts.n_out);
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

static void futex_wake(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void plant_page_publish(struct plant_page *page, uint64_t edge, int64_t t_ns, const double in_V[])
{
	struct plant_shared *shared = page->shared;
	const unsigned odd = begin_write(&shared->in_sequence);

	store_cell(page, CELL_EDGE, edge);
	store_cell(page, CELL_TIME, (uint64_t)t_ns);
	store_cell(page, CELL_TAKEN, page->taken);
	for (size_t c = 0; c < page->facts.n_in; c++)
		store_cell(page, CELL_IN + c, bits_of(in_V[c]));
	end_write(&shared->in_sequence, odd);
	atomic_store_explicit(&shared->edge_word, (unsigned)edge, memory_order_release);
	futex_wake(&shared->edge_word);
}

void plant_page_take(struct plant_page *page, double out_V[])
{
	const size_t first = CELL_IN + page->facts.n_in;

	if (!read_set(page, &page->shared->out_sequence, first, CELL_OUT + page->facts.n_out))
		return;
	page->taken = bits_of(page->pending[CELL_FOR]);
	for (size_t c = 0; c < page->facts.n_out; c++)
		if (isfinite(page->pending[CELL_OUT + c]))
			out_V[c] = page->pending[CELL_OUT + c];
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
	    facts->n_in != 2 * facts->n_sites + 1 || facts->n_out != facts->n_sites + facts->n_parameters + 1)
		return err_set(err, JOSTLE_EFORMAT,
			       "shared memory %s: found %u inputs and %u outputs for %u sites and %u parameters",
			       page->path, facts->n_in, facts->n_out, facts->n_sites, facts->n_parameters);
	if (page_size(facts->n_in, facts->n_out) > page->size)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: expected %zu bytes for its channels, found %zu",
			       page->path, page_size(facts->n_in, facts->n_out), page->size);
	if (!(facts->period_s > 0.0 && facts->period_s <= 1e6))
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: period: found %g s", page->path,
			       facts->period_s);
	return 0;
}

static int map_client(struct plant_page *page, struct err *err)
{
	struct stat status;

	if (fstat(page->fd, &status) < 0 || status.st_uid != geteuid())
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s is not this user's", page->path);
	if (!is_locked(page->fd, LOCK_PLANT))
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s has ended", page->path);
	if (status.st_size == 0)
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s is not ready yet", page->path);
	if (status.st_size < (off_t)sizeof(struct plant_shared) ||
	    status.st_size > (off_t)page_size(PLANT_MAX_CHANNELS, PLANT_MAX_CHANNELS))
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

int plant_page_attach(struct plant_page *page, const char *name, struct err *err)
{
	int code = take_path(page, name, err);

	if (code < 0)
		return code;
	page->fd = shm_open(page->path, O_RDWR | O_CLOEXEC, 0);
	if (page->fd < 0)
		return err_set(err, JOSTLE_ENODEV, "no plant named \"%s\" is running (shared memory %s: %s)", name,
			       page->path, strerror(errno));
	code = map_client(page, err);
	if (code == 0 && !take_lock(page->fd, LOCK_CLIENT))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) has a client already", name,
			       page->facts.pid);
	if (code < 0)
		plant_page_close(page);
	else
		plant_page_skip(page);
	return code;
}

void plant_page_write(struct plant_page *page, const double out_V[])
{
	const size_t first = CELL_IN + page->facts.n_in;
	const unsigned odd = begin_write(&page->shared->out_sequence);

	store_cell(page, first + CELL_FOR, page->seen + 1);
	for (size_t c = 0; c < page->facts.n_out; c++)
		store_cell(page, first + CELL_OUT + c, bits_of(out_V[c]));
	end_write(&page->shared->out_sequence, odd);
}

int plant_page_wait(struct plant_page *page, int64_t timeout_ns, double in_V[], int64_t *t_ns)
{
	const int64_t deadline_ns = clock_now_ns() + timeout_ns;

	while (atomic_load_explicit(&page->shared->edge_word, memory_order_acquire) == (unsigned)page->seen) {
		const int64_t left_ns = deadline_ns - clock_now_ns();

		if (left_ns <= 0 || atomic_load_explicit(&page->shared->ready, memory_order_acquire) != PAGE_MAGIC)
			return JOSTLE_EIO;
		const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
		syscall(SYS_futex, &page->shared->edge_word, FUTEX_WAIT, (unsigned)page->seen, &left, NULL, 0);
	}
	if (!read_set(page, &page->shared->in_sequence, 0, CELL_IN + page->facts.n_in))
		return JOSTLE_EIO;
	const uint64_t edge = bits_of(page->pending[CELL_EDGE]);
	if (edge <= page->seen)
		return JOSTLE_EIO;
	for (size_t c = 0; c < page->facts.n_in; c++)
		if (!isfinite(page->pending[CELL_IN + c]))
			return JOSTLE_EIO;
	memcpy(in_V, page->pending + CELL_IN, page->facts.n_in * sizeof(*in_V));
	*t_ns = (int64_t)bits_of(page->pending[CELL_TIME]);
	/* A write for the edge after the last one that came after it acts from the one after that: two periods of delay. */
	const bool missed = edge - page->seen > 1 || bits_of(page->pending[CELL_TAKEN]) != edge;
	page->seen = edge;
	return missed ? JOSTLE_EMISSED : 0;
}

void plant_page_skip(struct plant_page *page)
{
	page->seen = load_cell(page, CELL_EDGE);
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
