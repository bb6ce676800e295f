#include "control/heartbeat.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daq/bench.h"

#define PAGE_MAGIC    0x4a525542u /* "JRUB" */
#define PAGE_VERSION  1u
#define LOCK_LOOP     SHARED_PAGE_MAKER
#define LOCK_GUARDIAN 1

struct heartbeat_shared {
	atomic_uint ready; /* PAGE_MAGIC once the facts are there */
	uint32_t version;
	uint64_t size;
	struct heartbeat_facts facts;
	_Alignas(64) atomic_llong watched_ns; /* the guardian's: when it looked last; 0 before */
	atomic_uint seized;
	_Alignas(64) atomic_uint ended; /* the loop's, as all that follows */
	atomic_uint sequence;
	shared_cell cells[];
};

/* The loop's set: how many beats, when, the supervisor's state, out_V[n_out]. */
enum cell { CELL_COUNT, CELL_TIME, CELL_STATE, CELL_OUT };

static size_t page_size(size_t n_out)
{
	return sizeof(struct heartbeat_shared) + (CELL_OUT + n_out) * sizeof(shared_cell);
}

/** Whether a text ends within its array. */
static bool is_text(const char text[], size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/** What is wrong with the facts, or NULL. */
static const char *wrong(const struct heartbeat_facts *facts)
{
	if (facts->pid <= 1)
		return "pid";
	if (facts->n_out > BENCH_MAX_CHANNELS)
		return "number of outputs";
	if (facts->period_ns < HEARTBEAT_MIN_PERIOD_NS || facts->period_ns > HEARTBEAT_MAX_PERIOD_NS)
		return "period";
	if (facts->deadline_ns / facts->period_ns < HEARTBEAT_MIN_DEADLINE ||
	    facts->deadline_ns / facts->period_ns > HEARTBEAT_MAX_DEADLINE)
		return "deadline";
	if (strnlen(facts->bench_sum, sizeof(facts->bench_sum)) != HASH_HEX_SIZE - 1)
		return "checksum of the bench file";
	if (!is_text(facts->bench_path, sizeof(facts->bench_path)) || !is_text(facts->attach, sizeof(facts->attach)))
		return "path of the bench file, or name of the plant";
	return NULL;
}

void heartbeat_state_facts(struct heartbeat_facts *facts, const struct bench *bench, double period_s,
			   const char *attach)
{
	struct hash hash;

	*facts = (struct heartbeat_facts){
		.pid = getpid(),
		.n_out = (uint32_t)bench->n_out,
		.period_ns = llrint(period_s * 1e9),
		.deadline_ns = llrint((double)bench->guardian_periods * period_s * 1e9),
	};
	snprintf(facts->bench_path, sizeof(facts->bench_path), "%s", bench->path);
	snprintf(facts->attach, sizeof(facts->attach), "%s", attach ? attach : "");
	hash_begin(&hash);
	hash_text(&hash, bench->text);
	hash_end(&hash, facts->bench_sum);
}

int heartbeat_create(struct heartbeat *heartbeat, const char *name, const struct heartbeat_facts *facts,
		     struct err *err)
{
	const char *field = wrong(facts);

	*heartbeat = (struct heartbeat){.facts = *facts, .page.fd = -1};
	if (field)
		return err_set(err, JOSTLE_EINVAL, "heartbeat of \"%s\": %s out of range", name, field);
	const int code = shared_page_make(&heartbeat->page, "run", name, page_size(facts->n_out),
					  1u << LOCK_LOOP | 1u << LOCK_GUARDIAN, err);

	if (code < 0)
		return code;
	heartbeat->shared = heartbeat->page.memory;
	heartbeat->shared->version = PAGE_VERSION;
	heartbeat->shared->size = heartbeat->page.size;
	heartbeat->shared->facts = *facts;
	atomic_store_explicit(&heartbeat->shared->ready, PAGE_MAGIC, memory_order_release);
	return 0;
}

void heartbeat_beat(struct heartbeat *heartbeat, int64_t now_ns, enum supervisor_state state, const double out_V[])
{
	struct heartbeat_shared *shared = heartbeat->shared;
	const unsigned odd = shared_set_begin(&shared->sequence);

	shared_cell_store(&shared->cells[CELL_COUNT], ++heartbeat->n_beats);
	shared_cell_store(&shared->cells[CELL_TIME], (uint64_t)now_ns);
	shared_cell_store(&shared->cells[CELL_STATE], (uint64_t)state);
	for (size_t c = 0; c < heartbeat->facts.n_out; c++)
		shared_cell_store(&shared->cells[CELL_OUT + c], shared_bits(out_V[c]));
	shared_set_end(&shared->sequence, odd);
}

enum guardian_view heartbeat_guardian(const struct heartbeat *heartbeat, int64_t now_ns)
{
	const int64_t watched_ns = atomic_load_explicit(&heartbeat->shared->watched_ns, memory_order_acquire);

	if (watched_ns == 0)
		return GUARDIAN_ABSENT;
	if (now_ns - watched_ns > heartbeat->facts.deadline_ns)
		return GUARDIAN_LOST;
	return atomic_load_explicit(&heartbeat->shared->seized, memory_order_acquire) ? GUARDIAN_SEIZED
										      : GUARDIAN_WATCHING;
}

/** Take the facts off the page once, and believe none that can't be. */
static int check_facts(struct heartbeat *heartbeat, struct err *err)
{
	const struct heartbeat_shared *shared = heartbeat->shared;
	const char *path = heartbeat->page.path;

	if (atomic_load_explicit(&shared->ready, memory_order_acquire) != PAGE_MAGIC)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s is no heartbeat, or not ready", path);
	if (shared->version != PAGE_VERSION)
		return err_set(err, JOSTLE_EVERSION, "shared memory %s: expected version %u, found %u", path,
			       PAGE_VERSION, shared->version);
	memcpy(&heartbeat->facts, &shared->facts, sizeof(heartbeat->facts));
	const char *field = wrong(&heartbeat->facts);
	if (field)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: %s out of range", path, field);
	if (page_size(heartbeat->facts.n_out) != heartbeat->page.size)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: expected %zu bytes for %u outputs, found %zu",
			       path, page_size(heartbeat->facts.n_out), heartbeat->facts.n_out, heartbeat->page.size);
	return 0;
}

int heartbeat_attach(struct heartbeat *heartbeat, const char *name, struct err *err)
{
	*heartbeat = (struct heartbeat){.page.fd = -1};
	int code = shared_page_join(&heartbeat->page, "run", name, page_size(0), page_size(BENCH_MAX_CHANNELS), err);

	if (code < 0)
		return code;
	heartbeat->shared = heartbeat->page.memory;
	code = check_facts(heartbeat, err);
	if (code == 0 && !shared_page_lock(&heartbeat->page, LOCK_GUARDIAN))
		code = err_set(err, JOSTLE_EBUSY, "\"%s\" (process %d) has a guardian already", name,
			       heartbeat->facts.pid);
	if (code == 0) {
		heartbeat->set = calloc(CELL_OUT + heartbeat->facts.n_out, sizeof(*heartbeat->set));
		code = heartbeat->set ? 0 : err_set(err, JOSTLE_ENOMEM, "no memory for a heartbeat");
	}
	if (code < 0) {
		free(heartbeat->set);
		shared_page_close(&heartbeat->page);
		*heartbeat = (struct heartbeat){.page.fd = -1};
	}
	return code;
}

void heartbeat_watch(struct heartbeat *heartbeat, int64_t now_ns, bool seized)
{
	/* First what it does, then that it lives: a fresh beat must not go with an old word. */
	atomic_store_explicit(&heartbeat->shared->seized, seized, memory_order_release);
	atomic_store_explicit(&heartbeat->shared->watched_ns, now_ns, memory_order_release);
}

void heartbeat_read(const struct heartbeat *heartbeat, struct heartbeat_reading *reading, double out_V[])
{
	struct heartbeat_shared *shared = heartbeat->shared;
	const uint64_t *set = heartbeat->set;

	/* Whether it lives is asked first: what it left can't change after it was found dead. */
	reading->alive = shared_page_is_locked(&heartbeat->page, LOCK_LOOP);
	reading->ended = atomic_load_explicit(&shared->ended, memory_order_acquire) != 0;
	reading->seized = atomic_load_explicit(&shared->seized, memory_order_acquire) != 0;
	if (!shared_set_read(&shared->sequence, shared->cells, CELL_OUT + heartbeat->facts.n_out, heartbeat->set))
		return;
	if (set[CELL_COUNT] == 0)
		return;
	reading->begun = true;
	reading->n_beats = set[CELL_COUNT];
	reading->beat_ns = (int64_t)set[CELL_TIME];
	/* A state that is none is not FAULT, whatever it is. */
	reading->state =
		set[CELL_STATE] < SUPERVISOR_N_STATES ? (enum supervisor_state)set[CELL_STATE] : SUPERVISOR_RUNNING;
	for (size_t c = 0; c < heartbeat->facts.n_out; c++)
		out_V[c] = shared_value(set[CELL_OUT + c]);
}

void heartbeat_goodbye(struct heartbeat *heartbeat)
{
	atomic_store_explicit(&heartbeat->shared->ended, 1, memory_order_release);
}

void heartbeat_close(struct heartbeat *heartbeat)
{
	if (!heartbeat->shared)
		return;
	/* While this lock is held nobody replaces the page: a dead loop's name is still its own. */
	if (!heartbeat->page.maker && !shared_page_is_locked(&heartbeat->page, LOCK_LOOP))
		shared_page_unlink(&heartbeat->page);
	shared_page_close(&heartbeat->page);
	free(heartbeat->set);
	*heartbeat = (struct heartbeat){.page.fd = -1};
}
